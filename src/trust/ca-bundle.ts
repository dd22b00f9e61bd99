/** One PEM file with the system's roots and our CA, for clients whose setting replaces the system's roots. */
import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { readableByAll, readIfPresent, writeDurably } from './durable-file.ts';

const usualPlaces = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];
const heading = '# The CA of a local Bloomery server';

export function writeCaBundle(file: string, ca: string): void {
  const bundle = `${systemRoots().trimEnd()}\n\n${heading}\n${ca.trimEnd()}\n`;
  if (readIfPresent(file) !== bundle) writeDurably(file, bundle, readableByAll);
}

function systemRoots(): string {
  // A bundle of the user's own, perhaps with a company's CA, would else be replaced by one that lacks it.
  const own = process.env.SSL_CERT_FILE;
  for (const place of own ? [own, ...usualPlaces] : usualPlaces) {
    try {
      const roots = readFileSync(place, 'utf8');
      if (!roots.includes(heading)) return roots;
    } catch {}
  }
  return rootCertificates.join('\n');
}
