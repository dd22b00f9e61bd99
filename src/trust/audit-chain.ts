/** What holds the lines of the audit log together: each carries what the one before it ended with, and a MAC. */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import { derivedKey } from './derived-key.ts';

/** Made of a sealing key; lines name it by `id`, so that they can be verified after that was replaced. */
export interface AuditKey {
  id: string;
  key: Buffer;
}

export const auditKeyOf = (sealingKey: Buffer): AuditKey => auditKey(derivedKey(sealingKey, 'audit log', 32));
export const auditKey = (key: Buffer): AuditKey => ({ id: hash('sha256', key, 'hex').slice(0, 12), key });

/** The last line: how many there have been, and what the next one carries. */
export interface AuditLink {
  number: number;
  previous: string;
}

/** Without a key the line carries no number, and the chain shows less. */
export function chainedLine(
  fields: object,
  { number, previous }: AuditLink,
  key: AuditKey | null,
): { line: string; link: AuditLink } {
  if (key === null) {
    const line = JSON.stringify({ previous, ...fields });
    return { line, link: { number, previous: hashOf(line) } };
  }
  const body = JSON.stringify({ previous, number: number + 1, key: key.id, ...fields });
  const mac = macOf(key, body);
  return {
    line: `${body.slice(0, -1)},"mac":"${mac}"}`,
    link: { number: number + 1, previous: mac },
  };
}

const hashOf = (line: string): string => hash('sha256', line, 'base64url');
export const macOf = ({ key }: AuditKey, text: string): string =>
  createHmac('sha256', key).update(text).digest('base64url');
export const isMacOf = (key: AuditKey, text: string, mac: string): boolean => {
  const [right, said] = [Buffer.from(macOf(key, text)), Buffer.from(mac)];
  return right.length === said.length && timingSafeEqual(right, said);
};

/** A line as it stands in a file. */
export interface ReadLine {
  /** What it says the line before it ended with; null where it is no line of JSON. */
  carried: unknown;
  isJson: boolean;
  /** What the next line has to carry. */
  end: string;
  /** Null for a line without a key, as those of older versions are. */
  keyed: { number: number; key: string; mac: string; body: string } | null;
}

const keyedEnd = /,"mac":"([\w-]{43})"\}$/;

export function readLine(line: string): ReadLine {
  let parsed: Record<string, unknown> | null = null;
  try {
    parsed = JSON.parse(line);
  } catch {
    // It was cut off, or is none of ours.
  }
  const mac = keyedEnd.exec(line)?.[1];
  const { previous: carried = null, number, key } = parsed ?? {};
  const isKeyed = mac !== undefined && typeof number === 'number' && typeof key === 'string';
  return {
    carried,
    isJson: parsed !== null,
    end: isKeyed ? mac : hashOf(line),
    keyed: isKeyed ? { number, key, mac, body: `${line.replace(keyedEnd, '')}}` } : null,
  };
}
