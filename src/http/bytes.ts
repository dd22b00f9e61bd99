import type { FastifyReply } from 'fastify';
import type { ByteStream } from '../kit/operation.ts';
import { drained } from './sse.ts';

/**
 * Writes bytes as they come, the pace set by the reader. What fails before the first of them is thrown and answered
 * like any error; what fails later ends the connection, so that nobody takes half an answer for a whole one.
 */
export async function sendBytes(
  { bytes, contentType, headers }: ByteStream,
  reply: FastifyReply,
): Promise<void> {
  const { raw, request } = reply;
  const source = bytes[Symbol.asyncIterator]();
  try {
    let next = await source.next();
    reply.hijack();
    raw.writeHead(reply.statusCode, {
      ...(reply.getHeaders() as Record<string, string>),
      ...headers,
      'content-type': contentType,
    });
    for (; !next.done && !raw.destroyed; next = await source.next()) {
      if (!raw.write(next.value)) await drained(raw);
    }
    raw.end();
  } catch (error) {
    if (!reply.sent) throw error;
    if (!raw.destroyed) request.log.warn({ err: error, requestId: request.id }, 'an answer broke off');
    raw.destroy();
  } finally {
    source.return?.()?.catch(() => {});
  }
}
