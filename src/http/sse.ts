import type { FastifyReply } from 'fastify';
import { apiError } from '../errors.ts';
import type { EventStream } from '../kit/operation.ts';

const quietMilliseconds = 15_000;
/** For the source to say that it ends, and why. */
const lastWordMilliseconds = 1000;

/**
 * Writes a stream of frames: one write per element, flushed at once, a comment when it is quiet for long, the pace set by
 * the reader. A source that fails after the first byte ends in its error frame, never in silence.
 */
export async function sendEvents(stream: EventStream, reply: FastifyReply, seconds: number): Promise<void> {
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-accel-buffering': 'no',
  });
  const heartbeat = setInterval(() => {
    if (!isOver(raw)) raw.write(': ping\n\n');
  }, quietMilliseconds);
  const end = endAfter(seconds, stream, reply);
  try {
    const frames = stream.frames[Symbol.asyncIterator]();
    try {
      while (await writeNext(frames, raw)) heartbeat.refresh();
    } finally {
      await frames.return?.();
    }
  } catch (error) {
    if (error instanceof BrokenOff) await breakOff(raw);
    else if (!isOver(raw)) raw.write(stream.onError(error));
  } finally {
    clearInterval(heartbeat);
    clearTimeout(end());
    if (!isOver(raw)) raw.end();
  }
}

/** Thrown by a source whose stream is to break off in silence, as when the network fails. */
export class BrokenOff extends Error {}

/** What was written still arrives; the stream's end never does. */
async function breakOff(raw: FastifyReply['raw']): Promise<void> {
  const { socket } = raw;
  if (socket !== null && !socket.destroyed) {
    await new Promise<void>((resolve) => {
      // A client that does not read would have it wait for ever.
      const impatience = setTimeout(resolve, lastWordMilliseconds);
      const done = (): void => {
        clearTimeout(impatience);
        resolve();
      };
      socket.once('close', done);
      socket.write('', done);
    });
  }
  raw.destroy();
}

const isOver = (raw: FastifyReply['raw']): boolean => raw.destroyed || raw.writableEnded;

/** Ends a stream that has lasted long enough; answers the timer under way. */
function endAfter(seconds: number, stream: EventStream, { raw, request }: FastifyReply) {
  const cut = (error: unknown): void => {
    if (isOver(raw)) return;
    raw.write(stream.onError(error));
    raw.end();
  };
  let timer = setTimeout(() => {
    const error = apiError(
      'quota_exceeded',
      `A stream may last ${seconds} seconds (limits.streamSeconds). Retrieve the response, or ask for it in the background.`,
      { target: 'limits.streamSeconds', retry: false },
    );
    request.exchange.interrupt(error);
    timer = setTimeout(cut, lastWordMilliseconds, error);
  }, seconds * 1000);
  return () => timer;
}

/** A function of its own, so that a stream that waits holds nothing of what it has written. False at the end. */
async function writeNext(frames: AsyncIterator<string>, raw: FastifyReply['raw']): Promise<boolean> {
  const { value, done } = await frames.next();
  if (done || isOver(raw)) return false;
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
