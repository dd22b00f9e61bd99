import { ApiError, apiError, invalidPayload, notFound, unsupportedParameter } from '../../errors.ts';
import { isTextType, mediaType } from '../../kit/media-type.ts';
import {
  type FileSource,
  isWebAddress,
  type NamedFile,
  type ReadFile,
  type ReadFiles,
} from '../../kit/named-files.ts';
import { DocumentError, type Documents } from '../../providers/documents/documents.ts';
import type { Outbound } from '../../providers/outbound/outbound.ts';
import { type Content, storedContent } from './content.ts';
import { dataContent } from './data-url.ts';
import type { FileDirectory } from './directory.ts';
import { type FetchBounds, fetchContent } from './fetch-content.ts';

/** Reads the files that a prompt names, for models that know nothing of them. */
export interface ModelFiles {
  /**
   * What each file is to a model that takes documents of the types `taken`. Throws what is wrong with a file of the
   * request itself; files of earlier turns that are not to be had are left out.
   */
  read(project: string, named: readonly NamedFile[], taken: readonly string[]): Promise<ReadFiles>;
}

export interface ModelFilesParts {
  files: FileDirectory;
  outbound: Outbound;
  /** Reads the text of documents; null where that is not at hand. */
  documents: Documents | null;
  limits: { inputFileBytes: number; inputFetchSeconds: number };
}

/** Web addresses that one request may name; of those in its context, the first so many are read. */
const mostAddresses = 100;
const fetchesAtOnce = 4;

export function modelFiles({ files, outbound, documents, limits }: ModelFilesParts): ModelFiles {
  /** What a content is to the model. */
  const readOne = async (content: Content, named: NamedFile, taken: readonly string[]): Promise<ReadFile> => {
    const target = named.target ?? 'input';
    const { filename, declared, start } = content;
    const type = mediaType(filename ?? '', start, declared);
    if (named.as === 'image') {
      // Models of other servers may take further types; what is sent as data says itself what it is.
      const isImage = type.startsWith('image/');
      if (isImage) return dataOf(await content.bytes(), type, filename);
      throw invalidPayload(
        target,
        `This is no image that models take (PNG, JPEG, GIF or WebP), but ${type}.`,
      );
    }
    if (isTextType(type) || taken.includes(type)) return dataOf(await content.bytes(), type, filename);
    if (documents === null) {
      throw unsupportedParameter(
        target,
        `The model takes no files of the type ${type}, and this server does not read their text. Send text.`,
      );
    }
    const text = await textOf(documents, content, target);
    return dataOf(Buffer.from(text), 'text/plain', filename);
  };

  return {
    async read(project, all, taken) {
      const read = readFiles();
      const named = all.filter(isNew());
      if (named.length === 0) return read.find;
      const budget = byteBudget(limits.inputFileBytes);
      const take = async (one: NamedFile, content: () => Content | Promise<Content>): Promise<void> => {
        try {
          read.add(one, await readOne(await content(), one, taken));
        } catch (error) {
          const isGone = one.target === null && error instanceof ApiError && error.status === 400;
          if (!isGone) throw error;
        }
      };
      const found = await files.findAll(
        project,
        named.flatMap(({ source }) => ('id' in source ? [source.id] : [])),
      );
      const addresses: Addressed[] = [];
      for (const one of named) {
        const { source, target, filename = null, as } = one;
        if ('id' in source) {
          const file = found.get(source.id);
          if (file !== undefined) budget.take(file.bytes, target);
          const content = file === undefined ? null : await storedContent(file);
          if (content !== null) read.add(one, await readOne(content, one, taken));
          else if (target !== null) throw notFound('file', source.id.slice(0, 128), target);
        } else if (isWebAddress(source.url)) addresses.push({ ...one, url: source.url });
        // What was sent in an earlier turn has been looked at then.
        else if (target === null && as === 'image') read.add(one, { url: source.url, filename });
        else await take(one, () => dataContent(source.url, filename, target ?? 'input'));
      }
      await fetchAll(addresses, limits.inputFetchSeconds, (one, bounds) =>
        take(one, () =>
          fetchContent(
            outbound,
            one.url,
            { filename: one.filename ?? null, target: one.target ?? 'input' },
            { ...bounds, take: (bytes) => budget.take(bytes, one.target) },
          ),
        ),
      );
      return read.find;
    },
  };
}

type Addressed = NamedFile & { url: string };

async function fetchAll(
  addresses: Addressed[],
  seconds: number,
  fetchOne: (one: Addressed, bounds: Omit<FetchBounds, 'take'>) => Promise<void>,
): Promise<void> {
  if (addresses.length === 0) return;
  const beyond = addresses[mostAddresses];
  if (beyond && beyond.target !== null) {
    throw invalidPayload(
      beyond.target,
      `A request may name ${mostAddresses} web addresses; this is one more.`,
    );
  }
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(seconds * 1000)]);
  const waiting = addresses.slice(0, mostAddresses).values();
  const fetchNext = async (): Promise<void> => {
    for (const one of waiting) await fetchOne(one, { signal, seconds });
  };
  try {
    await Promise.all(Array.from({ length: fetchesAtOnce }, fetchNext));
  } finally {
    over.abort();
  }
}

/** What the files of one request may have together. */
function byteBudget(most: number) {
  let left = most;
  return {
    take(bytes: number, target: string | null): void {
      left -= bytes;
      if (left >= 0) return;
      throw apiError(
        'payload_too_large',
        `The files of the input have more than ${most} bytes together (limits.inputFileBytes).`,
        { target: target ?? 'input' },
      );
    },
  };
}

/** Sources are told apart by kind first: an id may look like anything. */
const keysOf = (source: FileSource, as: NamedFile['as']): [kind: string, name: string] =>
  'id' in source ? [`${as} id`, source.id] : [`${as} url`, source.url];

function readFiles() {
  const byKind = new Map<string, Map<string, ReadFile>>();
  return {
    add({ source, as }: NamedFile, file: ReadFile): void {
      const [kind, name] = keysOf(source, as);
      const files = byKind.get(kind) ?? new Map<string, ReadFile>();
      byKind.set(kind, files.set(name, file));
    },
    find: ((source, as) => {
      const [kind, name] = keysOf(source, as);
      return byKind.get(kind)?.get(name);
    }) satisfies ReadFiles,
  };
}

/** Whether a file is named for the first time. */
function isNew(): (named: NamedFile) => boolean {
  const seen = new Map<string, Set<string>>();
  return ({ source, as }) => {
    const [kind, name] = keysOf(source, as);
    const names = seen.get(kind) ?? new Set<string>();
    if (names.has(name)) return false;
    seen.set(kind, names.add(name));
    return true;
  };
}

async function textOf(documents: Documents, content: Content, target: string): Promise<string> {
  try {
    return await content.onDisk((path) =>
      documents.text({ path, filename: content.filename ?? '' }, new AbortController().signal),
    );
  } catch (error) {
    if (!(error instanceof DocumentError) || error.code === 'server_error') throw error;
    throw invalidPayload(target, error.message);
  }
}

const dataOf = (content: Buffer, type: string, filename: string | null): ReadFile => ({
  url: `data:${type};base64,${content.toString('base64')}`,
  filename,
});
