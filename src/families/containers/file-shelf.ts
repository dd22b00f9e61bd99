import { createReadStream } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The contents of containers' files, by container and revision: `DATA/containers/ID/files/REVISION`. */
export interface FileShelf {
  write(containerId: string, revision: string, content: Blob | Uint8Array): Promise<void>;
  read(containerId: string, revision: string): Promise<Uint8Array>;
  stream(containerId: string, revision: string): AsyncIterable<Uint8Array>;
  remove(containerId: string, revision: string): Promise<void>;
  removeAll(containerId: string): Promise<void>;
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
  };
}
