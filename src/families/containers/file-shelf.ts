import { createReadStream, existsSync } from 'node:fs';
import { mkdir, opendir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { namesIn } from '../../storage/contents.ts';

/** The contents of containers' files, by container and revision: `DATA/containers/ID/files/REVISION`. */
export interface FileShelf {
  write(containerId: string, revision: string, content: Blob | Uint8Array): Promise<void>;
  read(containerId: string, revision: string): Promise<Uint8Array>;
  stream(containerId: string, revision: string): AsyncIterable<Uint8Array>;
  remove(containerId: string, revision: string): Promise<void>;
  removeAll(containerId: string): Promise<void>;
  /**
   * Paths of what is there without a row: of containers that are gone, and of writes that were broken off.
   * `revisionsOf` is null for a container that holds nothing any more.
   */
  strays(revisionsOf: (containerId: string) => Promise<Set<string> | null>): AsyncGenerator<string>;
  removeStray(path: string): Promise<void>;
}

/** Both names are ids that the server has made. */
export function fileShelf(directory: string): FileShelf {
  const folderOf = (id: string): string => join(directory, id, 'files');
  return {
    async write(id, revision, content) {
      await mkdir(folderOf(id), { recursive: true, mode: 0o700 });
      const data = content instanceof Blob ? content.stream() : content;
      await writeFile(join(folderOf(id), revision), data, { mode: 0o600 });
    },
    read: (id, revision) => readFile(join(folderOf(id), revision)),
    stream: (id, revision) => createReadStream(join(folderOf(id), revision)),
    remove: (id, revision) => rm(join(folderOf(id), revision), { force: true }),
    removeAll: (id) => rm(join(directory, id), { recursive: true, force: true }),

    async *strays(revisionsOf) {
      if (!existsSync(directory)) return;
      for await (const { name: id } of await opendir(directory)) {
        const revisions = await revisionsOf(id);
        if (revisions === null) yield join(directory, id);
        else {
          for await (const name of namesIn(folderOf(id))) {
            if (!revisions.has(name)) yield join(folderOf(id), name);
          }
        }
      }
    },
    removeStray: (path) => rm(path, { recursive: true, force: true }),
  };
}
