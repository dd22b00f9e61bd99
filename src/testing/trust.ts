import { readFileSync } from 'node:fs';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';

const trusted = new Set<string>();

/**
 * Has this thread trust the server's own authority, besides all that it trusts. `NODE_EXTRA_CA_CERTS` does the same,
 * but is read only when a process starts.
 */
export function trustAuthority(file: string): void {
  if (trusted.has(file)) return;
  trusted.add(file);
  const authority = readFileSync(file, 'utf8').trim();
  const known = getCACertificates('default');
  if (known.some((certificate) => certificate.trim() === authority)) return;
  setDefaultCACertificates([...known, authority]);
}
