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
    const frames = stream.frames[Symbol.asyncIterator]();
    try {
      while (await writeNext(frames, raw)) heartbeat.refresh();
    } finally {
      await frames.return?.();
    }
  } catch (error) {
    if (!raw.destroyed) raw.write(stream.onError(error));
  } finally {
    clearInterval(heartbeat);
    raw.end();
  }
}

/** A function of its own, so that a stream that waits holds nothing of what it has written. False at the end. */
async function writeNext(frames: AsyncIterator<string>, raw: FastifyReply['raw']): Promise<boolean> {
  const { value, done } = await frames.next();
  if (done || raw.destroyed) return false;
  if (!raw.write(value)) await drained(raw);
  return true;
}

/** Settles when more may be written, or nobody is left to write to. */
function drained(raw: FastifyReply['raw']): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      raw.off('drain', done).off('close', done);
      resolve();
    };
    raw.on('drain', done).on('close', done);
  });
}
