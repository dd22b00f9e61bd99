import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type AuditKey, isMacOf, type ReadLine, readLine } from './audit-chain.ts';
import { auditDirectory, auditFiles } from './audit-files.ts';
import { type AuditHead, readAuditHead } from './audit-head.ts';

export interface AuditVerdict {
  files: number;
  lines: number;
  /** Lines of older versions, at the beginning: they have no key, and whoever may write can make them anew. */
  withoutKey: number;
  /** What does not fit together, as `FILE:LINE: what`, the first first. */
  faults: string[];
}

const mostFaults = 100;

/** Follows the chain through all files that are left, and sees whether it ends where it should. */
export async function verifyAudit(dataDirectory: string, keys: readonly AuditKey[]): Promise<AuditVerdict> {
  // Before the lines: a server that runs goes on writing, the head behind them.
  const head = readAuditHead(dataDirectory, keys);
  const files = auditFiles(auditDirectory(dataDirectory));
  const chain = new Chain(keys, head === 'damaged' ? null : head);
  const faults: string[] = [];
  let lines = 0;
  for (const file of files) {
    let at = 0;
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      lines++;
      at++;
      const wrong = chain.next(readLine(line));
      if (wrong !== null && faults.length < mostFaults) faults.push(`${file}:${at}: ${wrong}`);
    }
  }
  const wrong = chain.end(head);
  if (wrong !== null) faults.push(`${files.at(-1) ?? auditDirectory(dataDirectory)}: ${wrong}`);
  return { files: files.length, lines, withoutKey: chain.withoutKey, faults };
}

class Chain {
  withoutKey = 0;
  #previous: string | null = null;
  #number: number | null = null;
  readonly #keys: Map<string, AuditKey>;
  readonly #head: AuditHead | null;

  constructor(keys: readonly AuditKey[], head: AuditHead | null) {
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#head = head;
  }

  next(line: ReadLine): string | null {
    const wrong = line.isJson ? this.#faultOf(line) : 'is not a line of JSON';
    this.#previous = line.end;
    if (line.keyed !== null) this.#number = line.keyed.number;
    else if (this.#number === null) this.withoutKey++;
    return wrong;
  }

  #faultOf({ carried, keyed }: ReadLine): string | null {
    if (keyed !== null) {
      const key = this.#keys.get(keyed.key);
      if (key === undefined) return `cannot be verified: its key ${keyed.key} is not here`;
      if (!isMacOf(key, keyed.body, keyed.mac)) return 'was changed, or written without the key';
      const gap = this.#gap(keyed.number);
      if (gap !== null) return gap;
      if (keyed.number === this.#head?.number && keyed.mac !== this.#head.end) {
        return 'is not the line that was last when this one was';
      }
    }
    // What came before the oldest line that is left was put away.
    if (this.#previous !== null && carried !== this.#previous) {
      return 'does not follow the line before it: one of the two was changed, or lines between them were taken out';
    }
    if (keyed === null && this.#number !== null) {
      return 'carries no MAC: it was written without the key, by a command that lacked it or by somebody else';
    }
    return null;
  }

  #gap(number: number): string | null {
    const expected = this.#number === null ? (this.#head?.first ?? number) : this.#number + 1;
    if (number === expected) return null;
    return number > expected
      ? `comes after lines that are gone: numbers ${expected} to ${number - 1} are missing`
      : `has the number ${number}, where ${expected} comes next`;
  }

  /** What is wrong with where it ends. */
  end(head: AuditHead | 'damaged' | null): string | null {
    if (head === 'damaged') return 'the record of where the log ends was changed, or its key is not here';
    if (head === null) {
      return this.#number === null ? null : 'the record of where the log ends is gone';
    }
    const last = this.#number ?? 0;
    return last >= head.number
      ? null
      : `ends with line ${last}, and line ${head.number} was written: what was behind it is gone`;
  }
}
