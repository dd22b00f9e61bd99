import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { type ApiError, apiError } from '../errors.ts';
import { MultipartBody, multipart } from '../kit/operation.ts';

/**
 * Hands forms over unread to the operations that take them, `limit` bytes at most. Anywhere else they are refused
 * with `refusal`.
 */
export function takeMultipart(app: FastifyInstance, limit: number, refusal: () => ApiError): void {
  app.addContentTypeParser(multipart, (request, payload, done) => {
    if (request.routeOptions.config.operation?.consumes !== multipart) return done(refusal());
    if (Number(request.headers['content-length']) > limit) return done(tooLarge());
    done(null, new MultipartBody(request.headers['content-type'] ?? '', bounded(payload, limit)));
  });
}

async function* bounded(payload: IncomingMessage, limit: number): AsyncGenerator<Uint8Array> {
  let left = limit;
  try {
    for await (const chunk of payload.iterator({ destroyOnReturn: false })) {
      left -= (chunk as Uint8Array).length;
      if (left < 0) throw tooLarge();
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

const tooLarge = () =>
  apiError(
    'payload_too_large',
    'The body is larger than this server takes (limits.bodyBytes in its configuration).',
    { headers: { connection: 'close' } },
  );
