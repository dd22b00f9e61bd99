import { BlockList, isIP, isIPv4 } from 'node:net';

/** Why tools may not reach an address; null where they may. */
export type AddressFault = string | null;

/** Those in `allow` are open although they would be refused, loopback where the policy says so. */
export interface AddressRules {
  allowLoopback: boolean;
  allow: BlockList;
}

type Range = [network: string, bits: number, what: string];

const metadata = 'the metadata service of a cloud';
const reserved = 'reserved';
const refused4: Range[] = [
  ['0.0.0.0', 8, 'unspecified'],
  ['100.100.100.200', 32, metadata],
  ['168.63.129.16', 32, metadata],
  ['169.254.0.0', 16, 'link-local'],
  ['192.0.0.0', 24, reserved],
  ['192.0.2.0', 24, reserved],
  ['192.88.99.0', 24, reserved],
  ['198.18.0.0', 15, reserved],
  ['198.51.100.0', 24, reserved],
  ['203.0.113.0', 24, reserved],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, reserved],
];
const refused6: Range[] = [
  ['::', 128, 'unspecified'],
  ['fe80::', 10, 'link-local'],
  ['ff00::', 8, 'multicast'],
  ['fd00:ec2::254', 128, metadata],
  ['fd20:ce::254', 128, metadata],
  ['2001::', 23, reserved],
  ['2001:db8::', 32, reserved],
  ['3fff::', 20, reserved],
];
/** All else of IPv6 is reserved: what is global, and what is private. */
const open6: [network: string, bits: number][] = [
  ['2000::', 3],
  ['fc00::', 7],
];
/** IPv4 addresses in the clothes of IPv6, and at which byte they stand: mapped, compatible, NAT64, 6to4. */
const embedding: [network: string, bits: number, at: number][] = [
  ['::ffff:0:0', 96, 12],
  ['::', 96, 12],
  ['64:ff9b::', 96, 12],
  ['2002::', 16, 2],
];

const listOf = (ranges: (readonly [string, number, ...unknown[]])[]): BlockList => {
  const list = new BlockList();
  for (const [network, bits] of ranges) list.addSubnet(network, bits, isIPv4(network) ? 'ipv4' : 'ipv6');
  return list;
};

const named = (ranges: Range[]) => ranges.map((range) => ({ list: listOf([range]), what: range[2] }));
const refusals = { ipv4: named(refused4), ipv6: named(refused6) };
const loopback = listOf([
  ['127.0.0.0', 8],
  ['::1', 128],
]);
const open = listOf(open6);
const embeddings = embedding.map((range) => ({ list: listOf([range]), at: range[2] }));

/** An IP address, as text without brackets. */
export function addressFault(address: string, rules: AddressRules): AddressFault {
  const bare = address.replace(/%.*$/, '');
  if (isIP(bare) === 0) return 'no IP address';
  return fault(bare, rules);
}

function fault(address: string, rules: AddressRules): AddressFault {
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  if (rules.allow.check(address, family)) return null;
  if (loopback.check(address, family)) return rules.allowLoopback ? null : 'loopback';
  const refusal = refusals[family].find(({ list }) => list.check(address, family));
  if (refusal !== undefined) return refusal.what;
  if (family === 'ipv4') return null;
  const inside = embeddings.find(({ list }) => list.check(address, 'ipv6'));
  if (inside !== undefined) return fault(embedded(address, inside.at), rules);
  return open.check(address, 'ipv6') ? null : reserved;
}

function embedded(address: string, at: number): string {
  const bytes = bytesOf(address);
  return bytes.slice(at, at + 4).join('.');
}

function bytesOf(address: string): number[] {
  // The URL parser writes every spelling in hexadecimal groups, with at most one gap.
  const [head = '', tail] = new URL(`http://[${address}]`).hostname.slice(1, -1).split('::');
  const groups = (text: string | undefined): number[] =>
    text === undefined || text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const first = groups(head);
  const last = groups(tail);
  const gap = Array.from({ length: 8 - first.length - last.length }, () => 0);
  return [...first, ...gap, ...last].flatMap((group) => [group >> 8, group & 0xff]);
}
