import type { FastifyReply } from 'fastify';
import type { ByteStream } from '../kit/operation.ts';

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
    let sent = Promise.resolve();
    while (!next.done && !raw.destroyed) {
      // One chunk is on its way while the next one is fetched, and never two.
      await sent;
      sent = written(raw, next.value);
      next = await source.next();
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

/** Settles when the bytes are out of our hands, or nobody is left to write to. */
function written(raw: FastifyReply['raw'], bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      raw.off('close', done);
      resolve();
    };
    raw.on('close', done);
    raw.write(bytes, done);
  });
}
