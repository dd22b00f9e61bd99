/**
 * Where the audit log ends, kept apart from it: lines cut off its end show by that. The numbers of its first and its
 * last line, what the last one ended with, and a MAC over the three.
 */
import { open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditKey, isMacOf, macOf } from './audit-chain.ts';
import { trustDirectory } from './certificates.ts';
import { ownerOnly, readPrivateIfPresent } from './durable-file.ts';

export interface AuditHead {
  /** Of the oldest line with a number that is still kept. */
  first: number;
  number: number;
  end: string;
}

export const auditHeadFile = (dataDirectory: string): string =>
  join(trustDirectory(dataDirectory), 'audit-head.json');

const textOf = ({ first, number, end }: AuditHead): string => `head ${first} ${number} ${end}`;

/** `damaged` where it was not written with one of these keys. */
export function readAuditHead(
  dataDirectory: string,
  keys: readonly AuditKey[],
): AuditHead | 'damaged' | null {
  const content = readPrivateIfPresent(auditHeadFile(dataDirectory));
  if (content === null) return null;
  try {
    const { first, number, end, key: id, mac } = JSON.parse(content);
    const head = { first, number, end };
    const key = keys.find((one) => one.id === id);
    return key !== undefined && isMacOf(key, textOf(head), String(mac)) ? head : 'damaged';
  } catch {
    return 'damaged';
  }
}

/** Seen whole or as it was before; `isSure` waits for the disk. */
export async function writeAuditHead(
  dataDirectory: string,
  head: AuditHead,
  key: AuditKey,
  isSure: boolean,
): Promise<void> {
  const file = auditHeadFile(dataDirectory);
  const handle = await open(`${file}.tmp`, 'w', ownerOnly);
  try {
    await handle.writeFile(`${JSON.stringify({ ...head, key: key.id, mac: macOf(key, textOf(head)) })}\n`);
    if (isSure) await handle.datasync();
  } finally {
    await handle.close();
  }
  await rename(`${file}.tmp`, file);
}
