import type { BusboyFileStream, BusboyInstance } from '@fastify/busboy';
import { type ApiError, apiError, invalidPayload } from '../errors.ts';
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

const mostHeaderBytes = 16_384;
const mostHeaders = 32;

/**
 * Reads a form and answers its fields in their order. It keeps the fields and a chunk or two of a file, never more.
 * A malformed form, and one beyond its bounds, is 400; a file that is too large 413. Whatever `onFile` throws ends the
 * reading and is thrown.
 */
export async function readMultipart(body: MultipartBody, reader: MultipartReader): Promise<MultipartField[]> {
  const { bounds } = reader;
  const parser = await openParser(body, reader);
  const fields: MultipartField[] = [];
  const streams = new Set<BusboyFileStream>();
  let files = Promise.resolve();
  let failure: { error: unknown } | undefined;
  let interrupt: (error: unknown) => void = () => {};

  const fail = (error: unknown): void => {
    failure ??= { error };
    interrupt(failure.error);
    for (const stream of streams) stream.destroy(failure.error as Error);
  };
  /** One step of the parser; a failure anywhere ends the wait for it. */
  const step = (start: (done: () => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      interrupt = reject;
      if (failure === undefined) start(resolve);
      else reject(failure.error);
    });

  parser.on('error', () => fail(malformed()));
  parser.on('fieldsLimit', () => fail(tooMany('fields', bounds.fields)));
  parser.on('filesLimit', () => fail(tooMany('files', bounds.files)));
  parser.on('field', (name: string | undefined, value, _nameTruncated, valueTruncated) => {
    if (!name) return fail(malformed());
    if (valueTruncated)
      fail(
        invalidPayload(name, `'${name}' has more than the ${bounds.fieldBytes} bytes that a field may have.`),
      );
    else fields.push({ name, value });
  });
  parser.on(
    'file',
    (name: string | undefined, stream, filename: string | undefined, _encoding, contentType) => {
      streams.add(stream);
      // Streams that wait for their turn fail too, with nobody listening yet.
      stream.on('error', () => {}).on('limit', () => fail(tooLarge(name ?? 'body', bounds.fileBytes)));
      if (!name) return fail(malformed());
      files = files
        .then(async () => {
          if (failure !== undefined) return;
          const bytes = stream.iterator({ destroyOnReturn: false });
          await reader.onFile({ name, filename: filename || name, contentType, bytes });
          streams.delete(stream);
          stream.resume();
        })
        .catch(fail);
    },
  );

  try {
    for await (const chunk of body.bytes) await step((done) => parser.write(chunk, done));
    await step((done) => parser.once('finish', done).end());
  } catch (error) {
    fail(error);
  }
  await files;
  if (failure !== undefined) throw failure.error;
  return fields;
}

async function openParser(
  body: MultipartBody,
  { bounds, fileNames = [] }: MultipartReader,
): Promise<BusboyInstance> {
  const { Busboy } = await import('@fastify/busboy');
  try {
    return new Busboy({
      headers: { 'content-type': body.contentType },
      isPartAFile: (name, _contentType, filename) =>
        filename !== undefined || (name !== undefined && fileNames.includes(name)),
      limits: {
        fields: bounds.fields,
        fieldSize: bounds.fieldBytes,
        files: bounds.files,
        fileSize: bounds.fileBytes,
        headerPairs: mostHeaders,
        headerSize: mostHeaderBytes,
      },
    });
  } catch {
    throw apiError('invalid_payload', 'The Content-Type of the form has no boundary.', {
      target: 'Content-Type',
    });
  }
}

const malformed = (): ApiError =>
  invalidPayload('body', 'The body is not a well-formed form (multipart/form-data).');

const tooMany = (what: string, most: number): ApiError =>
  invalidPayload('body', `The form has more than the ${most} ${what} that are taken here.`);

const tooLarge = (name: string, most: number): ApiError =>
  apiError('payload_too_large', `'${name}' has more than the ${most} bytes that a file may have.`, {
    target: name,
  });
