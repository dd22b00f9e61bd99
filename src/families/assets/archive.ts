import { invalidPayload } from '../../errors.ts';
import type { ArchivePart } from '../../kit/project-part.ts';
import type { Blobs } from '../../providers/blobs/blobs.ts';
import type { Shelf } from './shelf.ts';
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
export const assetArchive = (
  store: AssetStore,
  own: Blobs,
  { startImport }: Pick<Shelf, 'startImport'>,
): ArchivePart => ({
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

  importer(project) {
    const shelved = startImport(project);
    const taken = new Map<string, { container: string; names: string[] }>();
    return {
      async take({ name, bytes }, content) {
        const [, before = '', at = ''] = /^(.+)\.(names|\d+)$/.exec(name) ?? [];
        if (at === namesOf && bytes <= mostNamesBytes) {
          const names = namesIn(await textOf(content), `blobs/${name}`);
          taken.set(before, { container: await shelved.container(), names });
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
      written: shelved.written,
      discard: shelved.discard,
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

function namesIn(text: string, entry: string): string[] {
  try {
    const names: unknown = JSON.parse(text);
    if (Array.isArray(names) && names.every(isBlobName)) return names;
  } catch {}
  throw invalidPayload('file', `The archive is damaged: a name in '${entry}' is none of a blob.`);
}

/** A name must not lead out of its container, once it stands in an address. */
const isBlobName = (name: unknown): name is string =>
  typeof name === 'string' &&
  name.length <= 1024 &&
  name.isWellFormed() &&
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused.
  !/[\u0000-\u001f\u007f]/.test(name) &&
  name !== '' &&
  !name.split(/[/\\]/).some((part) => part === '.' || part === '..');

const damaged = () => invalidPayload('file', 'The archive is damaged: the content of an asset is missing.');
