import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** What lies in the directory of the embedded account, looked at while nobody has it open. */
export interface BlobFiles {
  containers: string[];
  /** Paths of files that belong to no blob, which writes that were broken off have left. */
  strays: string[];
}

export const blobList = (directory: string): string => join(directory, 'blobs.json');
export const extentFolder = (directory: string): string => join(directory, 'extents');

/** Reads the list of blobs itself: whoever opens it properly writes it, too. */
export function blobFiles(directory: string): BlobFiles {
  const list = blobList(directory);
  const extents = extentFolder(directory);
  const used = new Set<unknown>();
  const { collections = [] }: { collections?: { name: string; data: { name: string }[] }[] } = existsSync(
    list,
  )
    ? JSON.parse(readFileSync(list, 'utf8'), (key, value) => {
        if (key === 'persistency' && value !== null) used.add(value.id);
        return value;
      })
    : {};
  const strays = existsSync(extents) ? readdirSync(extents).filter((id) => !used.has(id)) : [];
  const halfWritten = `${list}~`;
  return {
    containers: collections
      .filter(({ name }) => name === '$CONTAINERS_COLLECTION$')
      .flatMap(({ data }) => data.map(({ name }) => name)),
    strays: [...strays.map((id) => join(extents, id)), ...(existsSync(halfWritten) ? [halfWritten] : [])],
  };
}

export function removeStrays(directory: string): void {
  for (const path of blobFiles(directory).strays) rmSync(path, { force: true });
}
