import type { PackedTexts } from '../texts/packed-texts.ts';

/** Reads the text of documents, off the main thread and within bounds: no document harms the server. */
export interface Documents {
  /** Throws `DocumentError`s. */
  text(source: DocumentSource, signal: AbortSignal): Promise<string>;
  /** The same, cut into chunks. Throws `DocumentError`s. */
  chunks(source: DocumentSource, chunking: Chunking, signal: AbortSignal): Promise<PackedTexts>;
  close(): Promise<void>;
}

export interface DocumentSource {
  /** Where its content lies. */
  path: string;
  /** Tells, with what is in it, of what kind it is. */
  filename: string;
}

export interface Chunking {
  maxTokens: number;
  /** Of each chunk, how many tokens the next one begins with; at most half of `maxTokens`. */
  overlapTokens: number;
}

export class DocumentError extends Error {
  /** `unsupported_file`: of no kind that is read. `invalid_file`: broken, encrypted, empty or too large inside. */
  readonly code: 'unsupported_file' | 'invalid_file' | 'server_error';

  constructor(code: DocumentError['code'], message: string) {
    super(message);
    this.name = 'DocumentError';
    this.code = code;
  }
}
