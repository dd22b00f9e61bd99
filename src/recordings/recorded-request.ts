/** A request as a recording has it: without what differs each time, and without secrets. */
import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { readHead } from '../kit/multipart-head.ts';
import { boundaryOf, MultipartParts } from '../kit/multipart-parts.ts';
import { isRecord } from '../kit/record.ts';
import { isSecretField, isSecretHeader } from '../kit/secret-names.ts';
import { edited } from './edits.ts';
import { type Body, bytesOf, type Content, type Part, type RecordedRequest, secretMark } from './format.ts';
import type { Asked } from './front.ts';
import { originEdits } from './origins.ts';
import type { Secrets } from './secrets.ts';

/** What a request may say beside its address and body that makes its answer another. */
export const tellingHeaders = [
  'foundry-features',
  'if-match',
  'if-none-match',
  'openai-beta',
  'range',
  'x-agent-version-override',
  'x-ms-user-identity',
  'x-ms-user-isolation-key',
] as const;

/** Longer content, such as a file, stands as its hash. */
const mostContentBytes = 65_536;
const mostParts = 1000;
const deepest = 256;

/** Keys that open nothing. */
const harmless = new Set(['idempotency-key', 'sec-websocket-key', 'x-ms-user-isolation-key']);

/** The secrets of a request that its headers carry. */
export function learnFrom(headers: IncomingHttpHeaders, secrets: Secrets): void {
  for (const [name, given] of Object.entries(headers)) {
    if (!isSecretHeader(name) || harmless.has(name)) continue;
    for (const value of [given ?? []].flat()) {
      secrets.add(value);
      const basic = /^basic +(\S+)$/i.exec(value)?.[1];
      if (basic !== undefined) addBasic(basic, secrets);
      // `Bearer …`, and the members of a cookie.
      for (const word of value.split(/[\s;]+/).slice(name === 'cookie' ? 0 : 1)) {
        secrets.add(word.slice(name === 'cookie' ? word.indexOf('=') + 1 : 0));
      }
    }
  }
}

/** What it is made of: the password, and both. */
function addBasic(basic: string, secrets: Secrets): void {
  const both = Buffer.from(basic, 'base64').toString();
  secrets.add(both);
  secrets.add(both.slice(both.indexOf(':') + 1));
}

export async function recordedRequest(asked: Asked, secrets: Secrets): Promise<RecordedRequest> {
  const { method, url, headers, origin } = asked;
  const scrub = (text: string): string => edited(text, [...secrets.in(text), ...originEdits(text, origin)]);
  const split = url.indexOf('?');
  const query = split === -1 ? '' : withoutBlockNames(scrub(url.slice(split)).slice(1));
  const telling = tellingHeaders.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, secrets.scrubbed(String(value))]];
  });
  const isBlockList = /(^|&)comp=blocklist(&|$)/.test(query);
  const body = await bodyOf(asked, secrets, isBlockList ? (text) => withoutBlockNames(scrub(text)) : scrub);
  return {
    method,
    path: secrets.scrubbed(split === -1 ? url : url.slice(0, split)),
    ...(query === '' ? {} : { query }),
    ...(telling.length === 0 ? {} : { headers: Object.fromEntries(telling) }),
    ...(body === null ? {} : { body }),
  };
}

/** The clients of Azure Storage draw the names of the blocks that they upload; only what is in them counts. */
const withoutBlockNames = (text: string): string =>
  text
    .replace(/((?:^|&)blockid=)[^&]*/g, '$1drawn')
    .replace(/(<(?:Committed|Latest|Uncommitted)>)[^<]*/g, '$1drawn');

async function bodyOf(
  { body, headers }: Asked,
  secrets: Secrets,
  scrub: (text: string) => string,
): Promise<Body | null> {
  if (body.length === 0) return null;
  const type = headers['content-type'] ?? '';
  const contentOf = (bytes: Buffer): Content =>
    // What is compressed may hold a secret that cannot be seen.
    bytes.length > mostContentBytes || headers['content-encoding'] !== undefined
      ? { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length }
      : bytesOf(Buffer.from(scrub(bytes.toString('latin1')), 'latin1'));
  const boundary = boundaryOf(type);
  if (boundary !== null) {
    const form = await partsOf(body, boundary, secrets, contentOf).catch(() => null);
    if (form !== null) return { form };
  }
  // By what it is, since clients leave the type away.
  if (/json/.test(type) || type === '') {
    try {
      const json: unknown = JSON.parse(Buffer.from(scrub(body.toString('latin1')), 'latin1').toString());
      if (isWithin(json, deepest)) return { json };
    } catch {
      // It stands as it is.
    }
  }
  return { contentType: type.split(';')[0]?.trim().toLowerCase() ?? '', content: contentOf(body) };
}

/** What is nested deeper than anybody's request is compared as text: it could not be walked through. */
function isWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isWithin(inner, levels - 1));
}

/** Without the boundary, which is drawn anew each time. */
async function partsOf(
  body: Buffer,
  boundary: string,
  secrets: Secrets,
  contentOf: (bytes: Buffer) => Content,
): Promise<Part[]> {
  const parts = new MultipartParts(once(body), boundary);
  const form: Part[] = [];
  for (let block = await parts.next(); block !== null; block = await parts.next()) {
    const { name, filename, contentType } = readHead(block);
    const pieces: Buffer[] = [];
    for (let piece = await parts.piece(); piece !== null; piece = await parts.piece()) pieces.push(piece);
    const bytes = Buffer.concat(pieces);
    if (isSecretField(name)) secrets.learn(bytes.toString(), name);
    form.push({
      name: secrets.scrubbed(name),
      ...(filename === undefined ? {} : { filename: secrets.scrubbed(filename) }),
      contentType,
      content: isSecretField(name) && bytes.length > 0 ? secretMark : contentOf(bytes),
    });
    if (form.length > mostParts) throw new Error(`The form has more than ${mostParts} parts.`);
  }
  return form;
}

async function* once(body: Buffer): AsyncGenerator<Uint8Array> {
  yield body;
}

/** One text for requests that say the same. */
export function keyOf({ method, path, query = '', headers = {}, body }: RecordedRequest): string {
  const named = [...new URLSearchParams(query)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return canonical([method, path, named, headers, body ?? null]);
}

/** JSON with the members of objects in an order of its own. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    isRecord(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : inner,
  );
}
