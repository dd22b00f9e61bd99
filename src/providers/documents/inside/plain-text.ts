import { isUtf8 } from 'node:buffer';

/** More control characters than one in this many are no text in any of the one-byte encodings. */
const oneControlIn = 100;

/** The text of bytes, or null where they are none: by their mark, as UTF-8, else as Windows' superset of Latin-1. */
export function decodeText(bytes: Uint8Array, declared: string | null = null): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decode(bytes, 'utf-16le');
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decode(bytes, 'utf-16be');
  if (bytes.includes(0)) return null;
  if (isUtf8(bytes)) return tooManyControls(bytes) ? null : decode(bytes, 'utf-8');
  if (tooManyControls(bytes)) return null;
  return decode(bytes, declared ?? 'windows-1252');
}

function decode(bytes: Uint8Array, encoding: string): string {
  try {
    return new TextDecoder(encoding).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

function tooManyControls(bytes: Uint8Array): boolean {
  let controls = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte < 0x20 && (byte < 0x08 || byte > 0x0d) && byte !== 0x1b) controls++;
  }
  return controls * oneControlIn > bytes.length;
}
