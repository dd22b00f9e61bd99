import { open, readFile } from 'node:fs/promises';
import { apiError, invalidPayload, notFound, unsupportedParameter } from '../../errors.ts';
import { isTextType, mediaType } from '../../kit/media-type.ts';
import { DocumentError, type Documents } from '../../providers/documents/documents.ts';
import type { FileDirectory, StoredFile } from './directory.ts';

/** Reads the files that a prompt names, for models that know nothing of them. */
export interface ModelFiles {
  /**
   * What each file is to a model that takes documents of the types `taken`. Throws what is wrong with a file of the
   * request itself; files of earlier turns that are gone are left out.
   */
  read(project: string, named: readonly NamedFile[], taken: readonly string[]): Promise<ReadFiles>;
}

export interface NamedFile {
  id: string;
  as: 'image' | 'file';
  /** Where the request names it; null where an earlier one did. */
  target: string | null;
}

export type ReadFiles = (id: string, as: NamedFile['as']) => ReadFile | undefined;

/** A file as data: the document itself, or the text of it. */
export interface ReadFile {
  url: string;
  filename: string;
}

export interface ModelFilesParts {
  files: FileDirectory;
  /** Reads the text of documents; null where that is not at hand. */
  documents: Documents | null;
  limits: { inputFileBytes: number };
}

const startBytes = 4096;

export function modelFiles({ files, documents, limits }: ModelFilesParts): ModelFiles {
  /** Null where the file is gone. */
  const readOne = async (file: StoredFile, named: NamedFile, taken: readonly string[]) => {
    const target = named.target ?? 'input';
    const start = await startOf(file.path);
    if (start === null) return null;
    const type = mediaType(file.filename, start);
    const asData = async (): Promise<ReadFile> => dataOf(await readFile(file.path), type, file.filename);
    if (named.as === 'image') {
      if (type.startsWith('image/')) return asData();
      throw invalidPayload(
        target,
        `The file '${file.id}' is no image that models take: PNG, JPEG, GIF or WebP.`,
      );
    }
    if (isTextType(type) || taken.includes(type)) return asData();
    if (documents === null) {
      throw unsupportedParameter(
        target,
        `The model takes no files of the type ${type}, and this server does not read their text. Send text.`,
      );
    }
    const text = await textOf(documents, file, target);
    return dataOf(Buffer.from(text), 'text/plain', file.filename);
  };

  return {
    async read(project, named, taken) {
      const read = new Map<string, ReadFile>();
      const reader: ReadFiles = (id, as) => read.get(keyOf(id, as));
      if (named.length === 0) return reader;
      const found = await files.findAll(
        project,
        named.map(({ id }) => id),
      );
      let bytes = 0;
      for (const one of named) {
        const key = keyOf(one.id, one.as);
        if (read.has(key)) continue;
        const file = found.get(one.id);
        bytes += file?.bytes ?? 0;
        if (bytes > limits.inputFileBytes) {
          throw apiError(
            'payload_too_large',
            `The files of the input have more than ${limits.inputFileBytes} bytes together (limits.inputFileBytes).`,
            { target: one.target ?? 'input' },
          );
        }
        const content = file === undefined ? null : await readOne(file, one, taken);
        if (content !== null) read.set(key, content);
        else if (one.target !== null) throw notFound('file', one.id.slice(0, 128), one.target);
      }
      return reader;
    },
  };
}

async function textOf(documents: Documents, { path, filename }: StoredFile, target: string): Promise<string> {
  try {
    return await documents.text({ path, filename }, new AbortController().signal);
  } catch (error) {
    if (!(error instanceof DocumentError) || error.code === 'server_error') throw error;
    throw invalidPayload(target, error.message);
  }
}

const dataOf = (content: Buffer, type: string, filename: string): ReadFile => ({
  url: `data:${type};base64,${content.toString('base64')}`,
  filename,
});

async function startOf(path: string): Promise<Uint8Array | null> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return null;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(startBytes), 0, startBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

const keyOf = (id: string, as: NamedFile['as']): string => `${as} ${id}`;
