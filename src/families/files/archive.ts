import { createReadStream } from 'node:fs';
import { invalidPayload } from '../../errors.ts';
import { newId } from '../../kit/ids.ts';
import type { ArchivePart } from '../../kit/project-part.ts';
import type { Contents } from '../../storage/contents.ts';
import type { FileStore } from './store.ts';

const chunkBytes = 1_048_576;

/** Contents of files get names of their own where an archive is read: what it calls them may be others' here. */
export const fileArchive = (store: FileStore, contents: Contents): ArchivePart => ({
  folder: 'files',

  async *contents(project) {
    for (const { content, bytes } of await store.contentsOf(project)) {
      const read = () => createReadStream(contents.path(content), { highWaterMark: chunkBytes });
      yield { name: content, bytes, read };
    }
  },

  importer() {
    const taken = new Map<string, { content: string; bytes: number }>();
    return {
      async take({ name }, bytes) {
        const draft = await contents.write(bytes, []);
        const content = newId('file');
        await draft.place(content);
        taken.set(name, { content, bytes: draft.bytes });
        await contents.sync([content]);
      },
      imported(_table, row) {
        const found = taken.get(String(row.content));
        if (found === undefined || found.bytes !== row.bytes) {
          throw invalidPayload('file', 'The archive is damaged: what is in a file is missing.');
        }
        return { ...row, content: found.content };
      },
      async discard() {
        for (const { content } of taken.values()) await contents.remove(content);
      },
    };
  },
});
