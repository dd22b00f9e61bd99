import type { IncomingMessage } from 'node:http';
import type { FastifyReply } from 'fastify';
import { apiError } from '../errors.ts';
import { type Recurring, recurring } from '../kit/recurring.ts';
import { sendError } from './errors.ts';

/** A client that trickles less than this is as good as one that has stopped. */
const leastBytes = 1024;

interface Seen {
  bytes: number;
  since: number;
  isTold: boolean;
}

/**
 * Gives up bodies that don't move on. Requests are looked at now and then, all together, so that it costs nothing where
 * a body is whole; where the server itself takes its time to read, the client has done nothing wrong.
 */
export function giveUpStalledBodies(
  replies: () => Iterable<FastifyReply>,
  seconds: number,
  onError: (error: unknown) => void,
): Recurring {
  const seen = new WeakMap<IncomingMessage, Seen>();
  const look = async (): Promise<void> => {
    const now = performance.now();
    for (const reply of replies()) {
      const { raw } = reply.request;
      if (!isOnItsWay(raw)) continue;
      const bytes = raw.socket.bytesRead;
      const before = seen.get(raw);
      if (before === undefined || bytes - before.bytes >= leastBytes || isHeldBack(raw)) {
        seen.set(raw, { bytes, since: now, isTold: false });
      } else if (now - before.since >= seconds * 1000) {
        giveUp(reply, raw, before.isTold);
        before.isTold = true;
      }
    }
  };
  return recurring((seconds * 1000) / 4, look, onError);
}

/** Whether a body is expected and not all of it has come. */
export const isOnItsWay = (message: IncomingMessage): boolean =>
  message.complete === false &&
  !message.destroyed &&
  ('transfer-encoding' in message.headers || Number(message.headers['content-length']) > 0);

const isHeldBack = (message: IncomingMessage): boolean => message.isPaused() || message.readableLength > 0;

function giveUp(reply: FastifyReply, message: IncomingMessage, isTold: boolean): void {
  if (isTold || reply.sent) message.socket.destroy();
  // Whoever reads the body learns of it there, and lets go of what came before the client is answered.
  else if (message.listenerCount('error') > 0) message.emit('error', stalled());
  else sendError(stalled(), reply.request, reply);
}

const stalled = () =>
  apiError(
    'request_timeout',
    'The rest of the body did not come in time (limits.bodyIdleSeconds). Send the request again.',
    { headers: { connection: 'close' } },
  );
