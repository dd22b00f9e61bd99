import { type ApiError, apiError, invalidPayload } from '../errors.ts';
import { decoded, readHead } from './multipart-head.ts';
import { boundaryOf, MultipartParts } from './multipart-parts.ts';
import type { MultipartBody } from './operation.ts';

/** What a form may have at most. */
export interface MultipartBounds {
  fields: number;
  /** Bytes of each field's value. */
  fieldBytes: number;
  files: number;
  /** Bytes of each file. */
  fileBytes: number;
}

export interface MultipartField {
  name: string;
  value: string;
}

/** A file on its way. Its bytes fail when the form turns out to be malformed, or the file too large. */
export interface MultipartFile {
  name: string;
  filename: string;
  contentType: string;
  bytes: AsyncIterable<Uint8Array>;
}

export interface MultipartReader {
  bounds: MultipartBounds;
  /** Names whose parts are files even without a filename. */
  fileNames?: readonly string[];
  /** Takes one file, in the order of the form; what it leaves unread is skipped. The next comes when it has settled. */
  onFile(file: MultipartFile): Promise<void>;
}

/**
 * Reads a form and answers its fields in their order. It keeps the fields and a chunk of a file, never more. A malformed
 * form, and one beyond its bounds, is 400; a file that is too large 413. Whatever `onFile` throws ends the reading and is
 * thrown.
 */
export async function readMultipart(body: MultipartBody, reader: MultipartReader): Promise<MultipartField[]> {
  const boundary = boundaryOf(body.contentType);
  if (boundary === null) {
    throw apiError('invalid_payload', 'The Content-Type of the form has no boundary.', {
      target: 'Content-Type',
    });
  }
  const parts = new MultipartParts(body.bytes, boundary, body.digest);
  try {
    const fields = await readParts(parts, reader);
    await parts.skipRest();
    return fields;
  } finally {
    await parts.close();
  }
}

async function readParts(
  parts: MultipartParts,
  { bounds, fileNames = [], onFile }: MultipartReader,
): Promise<MultipartField[]> {
  const fields: MultipartField[] = [];
  let files = 0;
  for (let block = await parts.next(); block !== null; block = await parts.next()) {
    const { name, filename, contentType, charset } = readHead(block);
    if (filename === undefined && !fileNames.includes(name)) {
      if (fields.length === bounds.fields) throw tooMany('fields', bounds.fields);
      const value = await readField(parts, name, bounds.fieldBytes);
      fields.push({ name, value: decoded(value, charset) });
      continue;
    }
    if (files++ === bounds.files) throw tooMany('files', bounds.files);
    const bytes = fileBytes(parts, name, bounds.fileBytes);
    await onFile({ name, filename: filename || name, contentType, bytes });
    for await (const _ of bytes);
  }
  return fields;
}

async function readField(parts: MultipartParts, name: string, most: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for (let piece = await parts.piece(); piece !== null; piece = await parts.piece()) {
    size += piece.length;
    if (size > most) {
      throw invalidPayload(name, `'${name}' has more than the ${most} bytes that a field may have.`);
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Goes on where it was left: whoever stops reading early ends nothing. */
function fileBytes(parts: MultipartParts, name: string, most: number): AsyncIterable<Uint8Array> {
  let size = 0;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    const piece = await parts.piece();
    if (piece === null) return { value: undefined, done: true };
    size += piece.length;
    if (size > most) throw tooLarge(name, most);
    return { value: piece, done: false };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

const tooMany = (what: string, most: number): ApiError =>
  invalidPayload('body', `The form has more than the ${most} ${what} that are taken here.`);

const tooLarge = (name: string, most: number): ApiError =>
  apiError('payload_too_large', `'${name}' has more than the ${most} bytes that a file may have.`, {
    target: name,
  });
