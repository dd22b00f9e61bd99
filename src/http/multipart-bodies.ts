import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Limits } from '../config.ts';
import { type ApiError, apiError } from '../errors.ts';
import { MultipartBody, multipart, type Operation } from '../kit/operation.ts';

type FormLimits = Pick<Limits, 'bodyBytes' | NonNullable<Operation['fileLimit']>>;

interface FormLimit {
  name: keyof FormLimits;
  bytes: number;
}

/** What a form may have besides its file, where the limit is on that. */
const aroundFileBytes = 1_048_576;

/**
 * Hands forms over unread to the operations that take them, within the limit that holds there. Anywhere else they are
 * refused with `refusal`.
 */
export function takeMultipart(app: FastifyInstance, limits: FormLimits, refusal: () => ApiError): void {
  app.addContentTypeParser(multipart, (request, payload, done) => {
    const { operation } = request.routeOptions.config;
    if (operation?.consumes !== multipart) return done(refusal());
    const limit = limitOf(operation, limits);
    if (Number(request.headers['content-length']) > limit.bytes) return done(tooLarge(limit));
    done(null, new MultipartBody(request.headers['content-type'] ?? '', bounded(payload, limit)));
  });
}

const limitOf = ({ fileLimit }: Operation, limits: FormLimits): FormLimit =>
  fileLimit === undefined
    ? { name: 'bodyBytes', bytes: limits.bodyBytes }
    : { name: fileLimit, bytes: limits[fileLimit] + aroundFileBytes };

async function* bounded(payload: IncomingMessage, limit: FormLimit): AsyncGenerator<Uint8Array> {
  let left = limit.bytes;
  try {
    for await (const chunk of payload.iterator({ destroyOnReturn: false })) {
      left -= (chunk as Uint8Array).length;
      if (left < 0) throw tooLarge(limit);
      yield chunk as Uint8Array;
    }
  } catch (error) {
    if (!payload.errored) throw error;
    throw apiError('client_disconnected', 'The client went away before its body was whole.');
  } finally {
    if (!payload.readableEnded && left >= 0) discardRest(payload, left);
  }
}

/** What is still to come must be read all the same: a client that is writing reads no answer. */
function discardRest(payload: IncomingMessage, most: number): void {
  let left = most;
  payload.on('error', () => {});
  payload.on('data', (chunk: Uint8Array) => {
    left -= chunk.length;
    if (left < 0) payload.destroy();
  });
}

const tooLarge = ({ name }: FormLimit) =>
  apiError(
    'payload_too_large',
    `The body is larger than this server takes (limits.${name} in its configuration).`,
    { headers: { connection: 'close' } },
  );
