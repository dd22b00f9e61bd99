import { DocumentError, type Documents } from '../../providers/documents/documents.ts';
import { packTexts } from '../../providers/texts/packed-texts.ts';
import type { MemoryFiles } from './memory-files.ts';

export interface PlainDocumentsOptions {
  /** Called before a document is read; what it throws is thrown. */
  before?(filename: string, signal: AbortSignal): void | Promise<void>;
}

/** Reads `.txt` and `.md` that are kept in memory. A token is a word. */
export function plainDocuments(
  files: Pick<MemoryFiles, 'read'>,
  { before }: PlainDocumentsOptions = {},
): Documents {
  const text: Documents['text'] = async ({ path, filename }, signal) => {
    signal.throwIfAborted();
    await before?.(filename, signal);
    if (!/\.(txt|md)$/.test(filename)) {
      throw new DocumentError('unsupported_file', `Files such as '${filename}' are not read.`);
    }
    const content = files.read(path);
    if (content === undefined) throw new DocumentError('server_error', 'The file cannot be read.');
    if (content.trim() === '') throw new DocumentError('invalid_file', 'The file is empty.');
    return content;
  };
  return {
    text,
    async chunks(source, { maxTokens, overlapTokens }, signal) {
      const words = (await text(source, signal)).match(/\S+\s*/g) ?? [];
      const chunks: string[] = [];
      for (let from = 0; from < words.length; from += maxTokens - overlapTokens) {
        chunks.push(words.slice(from, from + maxTokens).join(''));
        if (from + maxTokens >= words.length) break;
      }
      return packTexts(chunks);
    },
    async close() {},
  };
}
