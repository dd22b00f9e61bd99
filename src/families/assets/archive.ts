import { randomUUID } from 'node:crypto';
import { invalidPayload } from '../../errors.ts';
import type { ArchivePart } from '../../kit/project-part.ts';
import type { Blobs } from '../../providers/blobs/blobs.ts';
import type { AssetStore } from './store.ts';

/** Blobs of one asset. */
const mostBlobs = 100_000;
const mostNamesBytes = 67_108_864;
const namesOf = 'names';

/**
 * Content in the server's own storage, in an archive as `CONTAINER.names`, a list of the names of blobs, and
 * `CONTAINER.N` for each of them. What lies in another account stays there, and is only referred to where the archive
 * is read.
 */
export const assetArchive = (store: AssetStore, own: Blobs): ArchivePart => ({
  folder: 'blobs',

  async *contents(project) {
    for (const container of await store.ownContainers(project)) {
      const blobs = await own.list(container, mostBlobs);
      const names = Buffer.from(JSON.stringify(blobs.map(({ name }) => name)));
      yield { name: `${container}.${namesOf}`, bytes: names.length, read: () => once(names) };
      for (const [at, { name, bytes }] of blobs.entries()) {
        yield { name: `${container}.${at}`, bytes, read: () => own.download(container, name) };
      }
    }
  },

  importer() {
    const taken = new Map<string, { container: string; names: string[] }>();
    return {
      async take({ name, bytes }, content) {
        const [, before = '', at = ''] = /^(.+)\.(names|\d+)$/.exec(name) ?? [];
        if (at === namesOf && bytes <= mostNamesBytes) {
          const container = `bloomery-${randomUUID()}`;
          await own.createContainer(container);
          taken.set(before, { container, names: stringsOf(await textOf(content)) });
          return;
        }
        const known = taken.get(before);
        const blob = known?.names[Number(at)];
        if (known === undefined || blob === undefined) throw damaged();
        await own.upload(known.container, blob, content);
      },
      imported(_table, row) {
        if (row.container === null || row.storage !== null) return { ...row, container: null };
        const found = taken.get(String(row.container));
        if (found === undefined) throw damaged();
        return { ...row, container: found.container };
      },
      async discard() {
        for (const { container } of taken.values()) await own.deleteContainer(container);
      },
    };
  },
});

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  for await (const part of content) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

function stringsOf(text: string): string[] {
  try {
    const names: unknown = JSON.parse(text);
    if (Array.isArray(names) && names.every((name) => typeof name === 'string')) return names;
  } catch {}
  throw damaged();
}

const damaged = () => invalidPayload('file', 'The archive is damaged: the content of an asset is missing.');
