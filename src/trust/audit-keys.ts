import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { type AuditKey, auditKey, auditKeyOf } from './audit-chain.ts';
import { trustDirectory } from './certificates.ts';
import { ownerOnly, readPrivateIfPresent } from './durable-file.ts';
import { knownSealingKeys, sealingKeyVariable } from './sealing-keys.ts';

const forgottenFile = (dataDirectory: string): string =>
  join(trustDirectory(dataDirectory), 'audit-old.keys');

/**
 * The keys of the audit log, the one to write with first; then those of sealing keys that were forgotten, which open
 * nothing, but go on verifying. None where the server takes its key from an environment that is not this one.
 */
export function auditKeys(dataDirectory: string): AuditKey[] {
  const inUse = knownSealingKeys(dataDirectory, process.env[sealingKeyVariable]) ?? [];
  if (inUse.length === 0) return [];
  const old = (readPrivateIfPresent(forgottenFile(dataDirectory)) ?? '').split('\n').filter(Boolean);
  return [...inUse.map(auditKeyOf), ...old.map((line) => auditKey(Buffer.from(line, 'base64')))];
}

/** To be called before sealing keys are forgotten. */
export function keepAuditKeys(dataDirectory: string, sealingKeys: readonly Buffer[]): void {
  if (sealingKeys.length === 0) return;
  const lines = sealingKeys.map((key) => `${auditKeyOf(key).key.toString('base64')}\n`);
  appendFileSync(forgottenFile(dataDirectory), lines.join(''), { mode: ownerOnly, flush: true });
}
