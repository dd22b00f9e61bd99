import { isSecretHeader } from '../kit/secret-names.ts';
import { edited, editedParts } from './edits.ts';
import { bytesOf, type RecordedAnswer, secretMark } from './format.ts';
import { originEdits } from './origins.ts';
import { hopByHop, pairs } from './passed-headers.ts';
import { rounded } from './recording-file.ts';
import type { Secrets } from './secrets.ts';

export interface Chunk {
  /** Milliseconds since what came before it. */
  after: number;
  bytes: Buffer;
}

export interface Given {
  status: number;
  /** Names and values in turn. */
  rawHeaders: readonly string[];
  chunks: Chunk[];
  isWhole: boolean;
}

/** Of the moment, of the connection, or of the client's session. */
const leftOut = new Set([...hopByHop, 'date', 'set-cookie']);

/** Tell of credentials, but are none. */
const harmless =
  /^(access-control-.*|www-authenticate|proxy-authenticate|x-ratelimit-.*|.*(tokens|continuation-?token)|.*cache-?key)$/i;

/** An answer as a recording has it. Its chunks are scrubbed as one text, since secrets go across them. */
export function recordedAnswer(given: Given, upstream: string, secrets: Secrets): RecordedAnswer {
  const headers: [string, string][] = [];
  for (const [name, value] of pairs(given.rawHeaders)) {
    if (leftOut.has(name.toLowerCase())) continue;
    const isSecret = isSecretHeader(name) && !harmless.test(name) && !/^(\d+|true|false)?$/.test(value);
    if (isSecret) secrets.learn(value, name);
    headers.push([name, isSecret ? secretMark : scrubbedHeader(value, upstream, secrets)]);
  }
  const parts = given.chunks.map(({ bytes }) => bytes.toString('latin1'));
  const text = parts.join('');
  const isText = isTextual(given);
  const edits = isText ? [...secrets.in(text), ...originEdits(text, upstream)] : secrets.exactlyIn(text);
  const chunks: RecordedAnswer['chunks'] = [];
  let after = 0;
  for (const [i, part] of editedParts(parts, edits).entries()) {
    after += given.chunks[i]?.after ?? 0;
    if (part === '') continue;
    chunks.push([rounded(after), bytesOf(Buffer.from(part, 'latin1'))]);
    after = 0;
  }
  return { status: given.status, headers, chunks, end: given.isWhole ? 'whole' : 'cut' };
}

/** One that breaks off may end within a character. */
function isTextual({ rawHeaders, chunks, isWhole }: Given): boolean {
  const type = [...pairs(rawHeaders)].find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? '';
  if (/json|text|xml|javascript|form-urlencoded/i.test(type)) return true;
  const bytes = Buffer.concat(chunks.map((chunk) => chunk.bytes));
  const cuts = isWhole ? [0] : [0, 1, 2, 3];
  return cuts.some((cut) => typeof bytesOf(bytes.subarray(0, bytes.length - cut)) === 'string');
}

function scrubbedHeader(value: string, upstream: string, secrets: Secrets): string {
  return edited(value, [...secrets.in(value), ...originEdits(value, upstream)]);
}
