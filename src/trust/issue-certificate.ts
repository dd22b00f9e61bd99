/** Makes certificates. Loaded only when one has to be made, as the library takes a tenth of a second to load. */
import 'reflect-metadata';
import {
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  type webcrypto,
  X509Certificate,
} from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import type { Pair } from './certificates.ts';

const day = 86_400_000;
const authorityDays = 3650;
/** Apple's platforms and browsers refuse server certificates that are valid for longer. */
const leafDays = 397;
const backdate = 3_600_000;
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export async function issueAuthority(now: number): Promise<Pair> {
  const keys = newKeys();
  const publicKey = importPublic(keys.publicKey);
  // The name differs per data directory, so that trusting two authorities at once is never ambiguous.
  const name = `CN=Bloomery local CA ${randomBytes(4).toString('hex')}, O=Bloomery`;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name,
    notBefore: new Date(now - backdate),
    notAfter: new Date(now + authorityDays * day),
    signingAlgorithm: ecdsa,
    keys: { publicKey, privateKey: importPrivate(keys.privateKey) },
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
    ],
  });
  return { certificate: new X509Certificate(certificate.toString('pem')), key: keys.privateKey };
}

export async function issueLeaf(ca: Pair, names: string[], now: number): Promise<Pair> {
  const keys = newKeys();
  const publicKey = importPublic(keys.publicKey);
  const issuer = new x509.X509Certificate(ca.certificate.raw);
  const end = Math.min(now - backdate + leafDays * day, ca.certificate.validToDate.getTime());
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: 'CN=localhost, O=Bloomery',
    issuer: issuer.subjectName,
    notBefore: new Date(Math.max(now - backdate, ca.certificate.validFromDate.getTime())),
    notAfter: new Date(end),
    signingAlgorithm: ecdsa,
    publicKey,
    signingKey: importPrivate(ca.key),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(importPublic(publicKeyOf(ca))),
    ],
  });
  return { certificate: new X509Certificate(certificate.toString('pem')), key: keys.privateKey };
}

const newKeys = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const publicKeyOf = (ca: Pair): KeyObject => ca.certificate.publicKey;
const importPublic = (key: KeyObject): webcrypto.CryptoKey => key.toCryptoKey(ecdsa, true, ['verify']);
const importPrivate = (key: KeyObject): webcrypto.CryptoKey => key.toCryptoKey(ecdsa, true, ['sign']);

/** Positive and never with a leading zero byte, as strict verifiers want it. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}
