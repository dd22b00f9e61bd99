import { BlockList, isIP } from 'node:net';

/** The entries of `outbound.allow`, told apart. */
export interface AllowList {
  hosts: ReadonlySet<string>;
  addresses: BlockList;
}

/** Throws a plain `Error` that says what is wrong with an entry. */
export function allowList(entries: readonly string[]): AllowList {
  const hosts = new Set<string>();
  const addresses = new BlockList();
  for (const entry of entries) {
    const [address = '', bits, ...more] = entry.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (bits !== undefined) {
      const most = family === 'ipv4' ? 32 : 128;
      const isNetwork =
        isIP(address) !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= most;
      if (!isNetwork) throw new Error(`'${entry}' is no network such as 10.0.0.0/8 or fd00::/8`);
      addresses.addSubnet(address, Number(bits), family);
    } else if (isIP(address) !== 0) addresses.addAddress(address, family);
    else hosts.add(hostOf(entry));
  }
  return { hosts, addresses };
}

/** What is wrong with an entry; null when nothing is. */
export function allowEntryFault(entry: string): string | null {
  try {
    allowList([entry]);
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A host name as URLs have it. */
function hostOf(entry: string): string {
  try {
    const { hostname, href } = new URL(`http://${entry}`);
    // What is a number in disguise would become another host than the one that was meant.
    if (
      !entry.includes(':') &&
      href === `http://${hostname}/` &&
      isIP(hostname.replace(/^\[|\]$/g, '')) === 0
    )
      return withoutDot(hostname);
  } catch {
    // Told below.
  }
  throw new Error(`'${entry}' is no host name, address or network`);
}

export const withoutDot = (host: string): string => host.replace(/\.$/, '');
