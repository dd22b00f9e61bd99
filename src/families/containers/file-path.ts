/** What Python calls a file, below /mnt/data: no way out of the folder, nothing that is not a name. */
export const home = '/mnt/data';

const longestPath = 512;
const longestName = 200;
const deepest = 9;

/** The path in its plain form; null for one that leads elsewhere. */
export function filePath(given: string): string | null {
  if (given.length > longestPath) return null;
  const names = given.split('/');
  if (names.length > deepest) return null;
  return names.every(isName) ? names.join('/') : null;
}

const isName = (name: string): boolean =>
  name !== '' &&
  name !== '.' &&
  name !== '..' &&
  name.length <= longestName &&
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they have no place in names.
  !/[\u0000-\u001f\u007f\\]/.test(name) &&
  name.isWellFormed();

/** A name for an uploaded file, whatever its sender calls it. */
export function uploadName(filename: string): string {
  const last = filename.toWellFormed().split(/[/\\]/).at(-1) ?? '';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they have no place in names.
  const name = last.replace(/[\u0000-\u001f\u007f]/g, '').slice(0, longestName);
  return filePath(name) ?? 'file';
}
