import type { X509Certificate } from 'node:crypto';
import { isIP, SocketAddress } from 'node:net';

const always = ['localhost', '127.0.0.1', '::1'];
const unspecified = new Set(['0.0.0.0', '::']);
const dnsName = /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/;

/** What the certificate has to be valid for: the loopback names and those configured, each once, in one spelling. */
export function certificateNames(configured: string[]): string[] {
  const names = [...always, ...configured]
    .map((name) => spelled(name))
    .filter((name) => !unspecified.has(name));
  return [...new Set(names)].sort();
}

export function hasNames(certificate: X509Certificate, names: string[]): boolean {
  const present = (certificate.subjectAltName ?? '')
    .split(', ')
    .map((entry) => spelled(entry.slice(entry.indexOf(':') + 1)));
  return [...new Set(present)].sort().join() === names.join();
}

/** One spelling per address: certificates print IPv6 in full and upper case. */
function spelled(name: string): string {
  const bare = name.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  const family = isIP(bare);
  if (family === 6) return new SocketAddress({ address: bare, family: 'ipv6' }).address;
  if (family === 0 && (!dnsName.test(bare) || bare.length > 253)) {
    throw new Error(
      `'${name}' is neither a host name nor an address, so no certificate can be valid for it.`,
    );
  }
  return bare;
}
