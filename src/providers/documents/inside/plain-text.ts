import { isUtf8 } from 'node:buffer';

/** More control characters than one in this many bytes are no text in any of the one-byte encodings. */
const oneControlIn = 100;
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
const control = /[\x00-\x07\x0e-\x1a\x1c-\x1f]/g;

/** The text of bytes, or null where they are none: by their mark, as UTF-8, else as Windows' superset of Latin-1. */
export function decodeText(bytes: Uint8Array, declared: string | null = null): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decode(bytes, 'utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decode(bytes, 'utf-16be');
  if (bytes.includes(0)) return null;
  const text = decode(bytes, isUtf8(bytes) ? 'utf-8' : (declared ?? 'windows-1252'));
  return tooManyControls(text, bytes.length) ? null : text;
}

function decode(bytes: Uint8Array, encoding: string): string {
  try {
    return new TextDecoder(encoding).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

function tooManyControls(text: string, bytes: number): boolean {
  let left = bytes / oneControlIn;
  for (const _ of text.matchAll(control)) if (--left < 0) return true;
  return false;
}
