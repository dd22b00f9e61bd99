/** The local certificate authority and the server's certificate, kept in `DATA/trust`. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { writeCaBundle } from './ca-bundle.ts';
import { certificateNames, hasNames } from './certificate-names.ts';
import {
  makePrivateDirectory,
  readableByAll,
  readIfPresent,
  readPrivateIfPresent,
  writeDurably,
} from './durable-file.ts';

export interface Certificates {
  /** The certificate of the local CA, PEM. */
  ca: string;
  caFile: string;
  /** The system's roots and the local CA in one PEM file. */
  caBundleFile: string;
  /** The server's private key and its certificate, PEM. */
  key: string;
  certificate: string;
  expiresAt: Date;
}

export interface Pair {
  certificate: X509Certificate;
  key: KeyObject;
}

const day = 86_400_000;
const renewBefore = 30 * day;

export const trustDirectory = (directory: string): string => join(directory, 'trust');

export function certificateFiles(directory: string) {
  const trust = trustDirectory(directory);
  return {
    caFile: join(trust, 'ca.pem'),
    caKeyFile: join(trust, 'ca-key.pem'),
    caBundleFile: join(trust, 'ca-bundle.pem'),
    certificateFile: join(trust, 'server.pem'),
    keyFile: join(trust, 'server-key.pem'),
  };
}

/**
 * Reads the certificates of a data directory, making or renewing what is missing or near its end. Calling it again
 * in a running server is how a certificate is renewed without a restart.
 */
export async function ensureCertificates(
  directory: string,
  names: string[],
  now: number = Date.now(),
): Promise<Certificates> {
  const files = certificateFiles(directory);
  makePrivateDirectory(trustDirectory(directory));
  const wanted = certificateNames(names);

  const ca = readAuthority(files, now) ?? (await makeAuthority(files, now));
  const leaf = readLeaf(files, ca, wanted, now) ?? (await makeLeaf(files, ca, wanted, now));
  const caPem = pemOf(ca.certificate);
  writeCaBundle(files.caBundleFile, caPem);
  return {
    ca: caPem,
    caFile: files.caFile,
    caBundleFile: files.caBundleFile,
    key: keyPem(leaf.key),
    certificate: pemOf(leaf.certificate),
    expiresAt: leaf.certificate.validToDate,
  };
}

type Files = ReturnType<typeof certificateFiles>;

function readAuthority(files: Files, now: number): Pair | null {
  const { caFile, caKeyFile } = files;
  const remedy = `Restore it from a backup, or delete ${caFile} and ${caKeyFile}: a new authority is then made, and clients have to be given its certificate.`;
  const certificatePem = readIfPresent(caFile);
  const keyText = readPrivateIfPresent(caKeyFile);
  // The key is written first, so a key alone is what an interrupted first start leaves, and nobody trusts it yet.
  if (certificatePem === null) return null;
  if (keyText === null)
    throw new Error(`${caKeyFile} is missing, the key that belongs to ${caFile}. ${remedy}`);
  const certificate = parse(() => new X509Certificate(certificatePem));
  if (certificate === null) throw new Error(`${caFile} is damaged: it holds no certificate. ${remedy}`);
  const key = parse(() => createPrivateKey(keyText));
  if (key === null) throw new Error(`${caKeyFile} is damaged: it holds no private key. ${remedy}`);
  if (!certificate.checkPrivateKey(key)) {
    throw new Error(`${caKeyFile} is not the key of the certificate in ${caFile}. ${remedy}`);
  }
  return certificate.validToDate.getTime() - now > renewBefore ? { certificate, key } : null;
}

/** Null where a new one has to be made: the leaf carries nothing that could be lost, so damage is repaired too. */
function readLeaf(files: Files, ca: Pair, names: string[], now: number): Pair | null {
  const certificatePem = readIfPresent(files.certificateFile);
  const keyText = readPrivateIfPresent(files.keyFile);
  if (certificatePem === null || keyText === null) return null;
  const certificate = parse(() => new X509Certificate(certificatePem));
  const key = parse(() => createPrivateKey(keyText));
  if (certificate === null || key === null || !certificate.checkPrivateKey(key)) return null;
  if (!certificate.checkIssued(ca.certificate) || !certificate.verify(ca.certificate.publicKey)) return null;
  if (certificate.validToDate.getTime() - now <= renewBefore || certificate.validFromDate.getTime() > now)
    return null;
  return hasNames(certificate, names) ? { certificate, key } : null;
}

async function makeAuthority(files: Files, now: number): Promise<Pair> {
  const { issueAuthority } = await import('./issue-certificate.ts');
  const pair = await issueAuthority(now);
  writeDurably(files.caKeyFile, keyPem(pair.key));
  writeDurably(files.caFile, pemOf(pair.certificate), readableByAll);
  return pair;
}

async function makeLeaf(files: Files, ca: Pair, names: string[], now: number): Promise<Pair> {
  const { issueLeaf } = await import('./issue-certificate.ts');
  const pair = await issueLeaf(ca, names, now);
  writeDurably(files.keyFile, keyPem(pair.key));
  writeDurably(files.certificateFile, pemOf(pair.certificate), readableByAll);
  return pair;
}

function parse<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

const pemOf = (certificate: X509Certificate): string => certificate.toString();
const keyPem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();
