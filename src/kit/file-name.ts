import { invalidPayload } from '../errors.ts';

/** Bytes of a name in UTF-8: what file systems take. */
export const mostNameBytes = 255;

/** The name of a file whatever folder its sender had it in. It is kept, never used as a path. */
export function fileName(given: string, target: string): string {
  const name = given.slice(Math.max(given.lastIndexOf('/'), given.lastIndexOf('\\')) + 1);
  const fault = faultOf(name);
  if (fault !== null) throw invalidPayload(target, `The name of the file ${fault}.`);
  return name;
}

function faultOf(name: string): string | null {
  if (name === '' || name === '.' || name === '..') return 'is missing';
  if (!name.isWellFormed()) return 'is no well-formed text';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they have no place in names.
  if (/[\u0000-\u001f\u007f]/.test(name)) return 'has control characters in it';
  if (Buffer.byteLength(name) > mostNameBytes) return `is longer than ${mostNameBytes} bytes`;
  return null;
}
