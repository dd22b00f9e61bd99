import { invalidPayload } from '../../errors.ts';
import { declaredType } from '../../kit/media-type.ts';
import type { Content } from './content.ts';
import { inMemory } from './content.ts';

const longestHead = 1024;

/** What a `data:` URL holds. Throws about `target` what is wrong with it. */
export function dataContent(url: string, filename: string | null, target: string): Content {
  const comma = url.slice(0, longestHead).indexOf(',');
  if (comma < 0) {
    throw invalidPayload(target, 'The data URL has no data: it needs a comma after its media type.');
  }
  const [type = '', ...parameters] = url.slice('data:'.length, comma).toLowerCase().split(';');
  const body = url.slice(comma + 1);
  const bytes = parameters.some((parameter) => parameter.trim() === 'base64')
    ? fromBase64(body, target)
    : fromPercent(body, target);
  if (bytes.length === 0) throw invalidPayload(target, 'The data URL is empty.');
  return inMemory(bytes, { declared: declaredType(type.trim()), filename });
}

function fromBase64(body: string, target: string): Buffer {
  const bytes = Buffer.from(body, 'base64');
  // What is no base64 is skipped in silence, and then there is less than there should be.
  if (bytes.length === bytesOf(body) || bytes.length === bytesOf(body.replace(/\s+/g, ''))) return bytes;
  throw invalidPayload(target, 'The data URL is not well-formed: what follows its comma is not base64.');
}

function bytesOf(base64: string): number {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  const characters = base64.length - padding;
  return characters % 4 === 1 ? -1 : Math.floor((characters * 3) / 4);
}

function fromPercent(body: string, target: string): Buffer {
  try {
    return Buffer.from(decodeURIComponent(body), 'utf8');
  } catch {
    throw invalidPayload(target, 'The data URL is not well-formed: its percent signs escape nothing.');
  }
}
