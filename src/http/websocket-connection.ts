import { once } from 'node:events';
import type { RawData, WebSocket } from 'ws';
import { apiError } from '../errors.ts';
import { newRequestId } from '../kit/ids.ts';
import { EventStream } from '../kit/operation.ts';
import type { Principal } from '../trust/principal.ts';
import { toApiError } from './errors.ts';
import { clientGone, type Exchange } from './exchange.ts';
import type { Load } from './load.ts';
import { BrokenOff } from './sse.ts';
import { createLanes } from './websocket-lanes.ts';
import {
  asObject,
  checkForSocket,
  errorEvent,
  inLane,
  type Message,
  readMessage,
  streamIdOf,
} from './websocket-message.ts';

/** An operation as messages call it. */
export interface MessageOperation {
  summary: string;
  /** Throws unless the caller's roles allow it. */
  permit(exchange: Exchange): void;
  /** Is told how a message ended. */
  ended(exchange: Exchange, status: number): void;
  /** Throws for what the operation does not take. */
  check(body: unknown): void;
  /** Answers with an `EventStream` that has events. */
  handle(exchange: Exchange, body: Record<string, unknown>): unknown;
}

export interface ConnectionParts {
  /** The exchange that opened the connection. */
  opening: Exchange;
  operations: ReadonlyMap<string, MessageOperation>;
  /** Throws for what is no JSON. */
  parse(text: string): unknown;
  /** Throws once the credential that the connection was opened with is good no more. */
  authenticate(): Principal | Promise<Principal>;
  load: Pick<Load, 'enter' | 'admitMessage' | 'leave'>;
  /** What messages that wait may take together, in bytes. */
  waitingBytes: number;
}

export interface Connection {
  /** Takes no more work and closes, with 1001, when what is under way has ended. */
  finish(reason: string): void;
}

export const connectionLimits = {
  parallel: 8,
  waiting: 64,
  /** What may be on its way to a slow reader before its responses wait for it, and nothing more is read of it. */
  unsentBytes: 262_144,
  /** Messages in a row that make no sense; one more closes the connection. */
  faultsInARow: 20,
  /** The same of messages that there was no room for. */
  refusalsInARow: 1000,
  heartbeatMilliseconds: 30_000,
  /** Heartbeats without a sign of life after which a connection is cut. */
  missedHeartbeats: 2,
  idleMilliseconds: 15 * 60_000,
  lifeMilliseconds: 60 * 60_000,
};

const goingAway = 1001;
const policyViolation = 1008;

/** Serves the messages of one WebSocket until it closes. */
export function serveConnection(socket: WebSocket, parts: ConnectionParts): Connection {
  const { opening, operations, load } = parts;
  const { log } = opening;
  const types = [...operations.keys()];
  const gone = new AbortController();
  let ending: string | null = null;
  let faults = 0;
  let refusals = 0;
  let isGivenUp = false;

  const lanes = createLanes({ ...connectionLimits, waitingBytes: parts.waitingBytes }, () => {
    if (ending === null) idle.refresh();
    else socket.close(goingAway, ending);
  });
  const interrupted = opening.signal;
  const finish = (reason: string): void => {
    if (ending !== null) return;
    ending = reason;
    for (const job of lanes.clear()) void job.run();
    if (lanes.idle) socket.close(goingAway, reason);
  };
  const idle = setTimeout(() => {
    if (lanes.idle) finish('idle');
  }, connectionLimits.idleMilliseconds);
  const life = setTimeout(finish, connectionLimits.lifeMilliseconds, 'age');
  const heartbeat = keepAlive(socket);

  /** Settles when there is room for more. */
  const send = async (text: string): Promise<void> => {
    if (socket.readyState !== socket.OPEN) return gone.abort(clientGone());
    const sent = Promise.withResolvers<void>();
    socket.send(text, () => {
      sent.resolve();
      if (socket.isPaused) readOn();
    });
    if (socket.bufferedAmount <= connectionLimits.unsentBytes) return;
    // Who does not read its answers is not read either.
    socket.pause();
    await sent.promise;
  };
  const readOn = (): void => {
    if (isGivenUp || socket.bufferedAmount > connectionLimits.unsentBytes) return;
    // Unread, it could not answer pings.
    heartbeat.heard();
    socket.resume();
  };

  const fail = (
    thrown: unknown,
    exchange: Exchange,
    lane: string | null,
    sequence: number | null,
  ): number => {
    const error = toApiError(thrown);
    if (error.code === 'server_error') exchange.log.error({ err: thrown }, 'message failed');
    void send(errorEvent(error, exchange.requestId, lane, sequence));
    return error.status;
  };

  const answer = async (message: Message, lane: string | null, exchange: Exchange): Promise<void> => {
    const operation = operations.get(message.type) as MessageOperation;
    let status = 200;
    let sent = 0;
    try {
      load.enter();
      if (ending !== null) throw closing();
      exchange.principal = await parts.authenticate();
      operation.permit(exchange);
      load.admitMessage(exchange);
      operation.check(message.body);
      checkForSocket(message.body);
      const stream = await operation.handle(exchange, { ...message.body, stream: true });
      if (!(stream instanceof EventStream) || stream.events === null) {
        throw new Error(`'${operation.summary}' does not answer with events.`);
      }
      for await (const { data } of stream.events) {
        if (gone.signal.aborted) break;
        await send(inLane(data, lane));
        sent++;
      }
    } catch (error) {
      if (error instanceof BrokenOff) await breakOff(socket);
      status = gone.signal.aborted ? clientGone().status : fail(error, exchange, lane, sent || null);
    } finally {
      load.leave(exchange);
    }
    operation.ended(exchange, status);
    if (!log.isLevelEnabled('info')) return;
    const ms = Math.round((performance.now() - exchange.startedAt) * 10) / 10;
    exchange.log.info({ operation: operation.summary, status, ms }, 'message');
  };

  /** For senders that nobody can help: what they were promised is dropped, and what comes after is not read. */
  const giveUp = (): void => {
    isGivenUp = true;
    ending = 'messages';
    lanes.clear();
    log.info({ faults, refusals }, 'connection closed for its messages');
    socket.close(policyViolation, 'Too many messages in a row could not be taken.');
  };

  const take = (data: RawData, isBinary: boolean): void => {
    // What was read in one go still comes.
    if (isGivenUp) {
      socket.pause();
      return;
    }
    const exchange = opening.successor(newRequestId(), AbortSignal.any([gone.signal, interrupted]));
    let lane: string | null = null;
    try {
      if (isBinary) throw apiError('invalid_json', 'Messages are JSON texts, not bytes.', { target: 'body' });
      const text = data.toString();
      const given = asObject(parts.parse(text));
      lane = streamIdOf(given);
      const streamId = lane;
      const message = readMessage(given, types);
      const run = () => answer(message, streamId, exchange);
      if (!lanes.add({ lane: streamId ?? '', size: Buffer.byteLength(text), run })) throw tooManyWaiting();
      faults = 0;
      refusals = 0;
    } catch (error) {
      if (toApiError(error).status === 429) refusals++;
      else faults++;
      if (faults > connectionLimits.faultsInARow || refusals > connectionLimits.refusalsInARow) giveUp();
      else fail(error, exchange, lane, null);
    }
  };

  // Its project is closed, or the server.
  interrupted.addEventListener('abort', () => finish('interrupted'), { once: true });
  socket.on('message', (data, isBinary) => {
    heartbeat.heard();
    take(data, isBinary);
  });
  // What broke it shows in the code it closes with.
  socket.on('error', () => {});
  socket.on('close', () => {
    clearTimeout(idle);
    clearTimeout(life);
    heartbeat.stop();
    lanes.clear();
    gone.abort(clientGone());
  });
  return { finish };
}

/** What was sent still arrives; nothing else does. */
async function breakOff(socket: WebSocket): Promise<void> {
  const closed = once(socket, 'close');
  socket.ping(undefined, undefined, () => socket.terminate());
  await closed;
}

/** Asks now and then whether the other end is still there, and cuts the connection when it isn't. */
function keepAlive(socket: WebSocket) {
  let missed = 0;
  const heard = (): void => {
    missed = 0;
  };
  socket.on('pong', heard);
  const beat = setInterval(() => {
    if (missed === connectionLimits.missedHeartbeats) return socket.terminate();
    missed++;
    socket.ping();
  }, connectionLimits.heartbeatMilliseconds);
  return { heard, stop: () => clearInterval(beat) };
}

const closing = () =>
  apiError('service_unavailable', 'This connection is about to be closed. Open another and repeat this.', {
    headers: { 'retry-after': '1' },
    retry: true,
  });

const tooManyWaiting = () =>
  apiError(
    'rate_limit_exceeded',
    `At most ${connectionLimits.waiting} messages, of 'limits.bodyBytes' together, may wait on a connection.`,
    { headers: { 'retry-after': '1' }, retry: true },
  );
