import { createPrivateKey, X509Certificate } from 'node:crypto';
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isDataDirectoryLocked, lockFile } from '../storage/data-lock.ts';
import { certificateFiles, trustDirectory } from '../trust/certificates.ts';
import { credentialsFile } from '../trust/credentials.ts';
import { codeOf, isOpenToOthers } from '../trust/durable-file.ts';
import { apiKeysFile } from '../trust/key-file.ts';
import type { RunFile } from '../trust/run-file.ts';
import { type Finding, fine, problem } from './finding.ts';

const day = 86_400_000;

export function checkDataDirectory(directory: string): Finding {
  const subject = 'data directory';
  const fix = 'Give this user write access to it and free some space, or choose another one with --data.';
  try {
    if (existsSync(directory)) {
      if (!statSync(directory).isDirectory()) return problem(subject, `${directory} is not a directory`, fix);
      rmSync(mkdtempSync(join(directory, '.doctor-')), { recursive: true });
      return fine(subject, `${directory} is writable`);
    }
    let parent = dirname(directory);
    while (!existsSync(parent)) parent = dirname(parent);
    accessSync(parent, constants.W_OK);
    return fine(subject, `${directory} does not exist yet; the first start makes it`);
  } catch (error) {
    return problem(subject, `${directory} cannot be written to (${codeOf(error)})`, fix);
  }
}

export function checkLock(directory: string, server: RunFile | null): Finding {
  const subject = 'lock';
  try {
    const locked = isDataDirectoryLocked(directory);
    if (locked && server !== null)
      return fine(subject, `held by the running server, process id ${server.pid}`);
    if (!locked && server === null) return fine(subject, 'free');
    return locked
      ? problem(
          subject,
          'held by a process that has left no run file: a server that is starting or stopping, or one started by another program',
          'Wait a moment and look again; else end the process that has the file open.',
        )
      : problem(
          subject,
          `not held, although run.json names process ${server?.pid}, which is likely another program by now`,
          `Delete ${join(directory, 'run.json')}.`,
        );
  } catch (error) {
    return problem(
      subject,
      (error as Error).message,
      `Delete ${lockFile(directory)} if no server is running.`,
    );
  }
}

/** Files that others must not be able to read. */
export function checkSecrets(directory: string): Finding[] {
  const { caKeyFile, keyFile } = certificateFiles(directory);
  const secrets = [
    caKeyFile,
    keyFile,
    join(trustDirectory(directory), 'token-key.pem'),
    join(trustDirectory(directory), 'sealing.key'),
    apiKeysFile(directory),
    credentialsFile(directory),
  ].filter((file) => existsSync(file));
  if (secrets.length === 0) return [];
  const open = secrets.filter((file) => isOpenToOthers(file));
  const subject = 'secrets';
  return [
    open.length === 0
      ? fine(subject, 'only this user can read them')
      : problem(subject, `others can read ${open.join(', ')}`, `chmod 600 ${open.join(' ')}`),
  ];
}

export function checkCertificates(directory: string, now: number = Date.now()): Finding {
  const subject = 'certificates';
  const { caFile, caKeyFile, certificateFile, keyFile } = certificateFiles(directory);
  if (!existsSync(caFile)) return fine(subject, 'none yet; the first start makes them');
  const newAuthority = `Delete ${caFile} and ${caKeyFile} and start the server: it makes a new CA, which clients then have to be given.`;
  const restart = 'Restart the server: it makes a new certificate.';
  try {
    const ca = new X509Certificate(readFileSync(caFile));
    if (!ca.checkPrivateKey(createPrivateKey(readFileSync(caKeyFile)))) {
      return problem(subject, `${caKeyFile} is not the key of ${caFile}`, newAuthority);
    }
    if (ca.validToDate.getTime() < now) return problem(subject, `the CA ended at ${ca.validTo}`, restart);
    return leafFinding(subject, ca, { certificateFile, keyFile, restart, now });
  } catch (error) {
    return problem(subject, `the CA cannot be read: ${(error as Error).message}`, newAuthority);
  }
}

interface LeafContext {
  certificateFile: string;
  keyFile: string;
  restart: string;
  now: number;
}

function leafFinding(subject: string, ca: X509Certificate, context: LeafContext): Finding {
  const { certificateFile, keyFile, restart, now } = context;
  try {
    const leaf = new X509Certificate(readFileSync(certificateFile));
    if (!leaf.verify(ca.publicKey))
      return problem(subject, `${certificateFile} is not by the local CA`, restart);
    if (!leaf.checkPrivateKey(createPrivateKey(readFileSync(keyFile)))) {
      return problem(subject, `${keyFile} is not the key of ${certificateFile}`, restart);
    }
    const left = Math.floor((leaf.validToDate.getTime() - now) / day);
    if (left < 0) return problem(subject, `the server's certificate ended at ${leaf.validTo}`, restart);
    const names = leaf.subjectAltName?.replaceAll(/(DNS|IP Address):/g, '');
    return fine(subject, `valid for ${left} more days, for ${names}`);
  } catch (error) {
    return problem(subject, `the server's certificate cannot be read: ${(error as Error).message}`, restart);
  }
}
