import { newId } from '../../kit/ids.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { FileDirectory, StoredFile } from '../files/directory.ts';

export interface MemoryFiles {
  directory: FileDirectory;
  /** Puts a file in; answers its id. */
  add(filename: string, text: string, project?: string): string;
  /** Deletes it, as its owner does. */
  remove(id: string, project?: string): Promise<void>;
  read(path: string): string | undefined;
}

/** The files of a project, kept in memory. */
export function memoryFiles(): MemoryFiles {
  const files = new Map<string, { project: string; file: StoredFile; text: string }>();
  const listeners: Parameters<FileDirectory['onRemoved']>[0][] = [];
  const find: FileDirectory['find'] = async (project, id) => {
    const found = files.get(id);
    return found?.project === project ? found.file : undefined;
  };
  return {
    directory: {
      find,
      async findAll(project, ids) {
        const found = new Map<string, StoredFile>();
        for (const id of ids) {
          const file = await find(project, id);
          if (file !== undefined) found.set(id, file);
        }
        return found;
      },
      async firstMissing(project, ids) {
        const found = await this.findAll(project, ids);
        const at = ids.findIndex((id) => !found.has(id));
        return at < 0 ? null : at;
      },
      onRemoved: (listener) => void listeners.push(listener),
    },
    add(filename, text, project = 'default') {
      const id = newId('file');
      const bytes = Buffer.byteLength(text);
      const file = { id, filename, bytes, purpose: 'assistants', createdAt: unixSeconds(), path: id };
      files.set(id, { project, file, text });
      return id;
    },
    async remove(id, project = 'default') {
      for (const listener of listeners) await listener(project, id);
      files.delete(id);
    },
    read: (path) => files.get(path)?.text,
  };
}
