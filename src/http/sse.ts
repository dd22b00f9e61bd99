import type { FastifyReply } from 'fastify';
import type { EventStream } from '../kit/operation.ts';

const quietMilliseconds = 15_000;

/**
 * Writes a stream of frames: one write per element, flushed at once, a comment when it is quiet for long, the pace set by
 * the reader. A source that fails after the first byte ends in its error frame, never in silence.
 */
export async function sendEvents(stream: EventStream, reply: FastifyReply): Promise<void> {
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
  const heartbeat = setInterval(() => raw.write(': ping\n\n'), quietMilliseconds);
  try {
    for await (const text of stream.frames) {
      if (raw.destroyed) break;
      if (!raw.write(text)) await drained(raw);
      heartbeat.refresh();
    }
  } catch (error) {
    if (!raw.destroyed) raw.write(stream.onError(error));
  } finally {
    clearInterval(heartbeat);
    raw.end();
  }
}

/** Settles when more may be written, or nobody is left to write to. */
export function drained(raw: FastifyReply['raw']): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      raw.off('drain', done).off('close', done);
      resolve();
    };
    raw.on('drain', done).on('close', done);
  });
}
