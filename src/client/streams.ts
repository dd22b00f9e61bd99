/** Streams of events that outlive their connection where the service keeps what they tell. */
import { type Attempted, BrokenStreamError, FoundryError, said } from './errors.ts';
import type { CallOptions, Clock, Outgoing, Send } from './request.ts';
import { backOff, type RetryPolicy } from './retry.ts';
import { doneData, readEvents, type ServerEvent } from './sse.ts';

/** An event as it is on the wire; those of responses are numbered. */
export interface AnyEvent {
  type?: string;
  sequence_number?: number;
  [field: string]: unknown;
}

export interface Opening {
  send: Send;
  outgoing: Outgoing;
  options: CallOptions;
  /** How long a stream may be silent; services send comments meanwhile. */
  idleMs: number;
  policy: RetryPolicy;
  clock: Clock;
  random: () => number;
  /** The request that goes on with a response behind an event; null where streams can't be taken up again. */
  resume: ((responseId: string, after: number | null) => Outgoing) | null;
  /** Of the response, where the request says it already. */
  responseId: string | null;
}

interface Connection {
  events: AsyncGenerator<ServerEvent, void>;
  response: Response;
  attempted: Attempted;
}

/** Events one after the other. It can be iterated once; leaving the loop ends the stream. */
export class EventStream<Event = AnyEvent> implements AsyncIterable<Event> {
  readonly #opening: Opening;
  #connection: Connection;
  /** Of the response that is streamed. */
  responseId: string | null;
  lastSequenceNumber: number | null = null;
  /** How often it was taken up again. */
  reconnections = 0;

  constructor(opening: Opening, connection: Connection) {
    this.#opening = opening;
    this.#connection = connection;
    this.responseId = opening.responseId;
  }

  /** `x-request-id` of the latest connection. */
  get requestId(): string | null {
    return this.#connection.response.headers.get('x-request-id');
  }

  get clientRequestId(): string {
    return this.#connection.attempted.clientRequestId;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Event, void> {
    const { resume, responseId } = this.#opening;
    const canResume = resume !== null && responseId !== null;
    const state: State = { isOver: false, failures: 0, canResume, isNew: true };
    for (;;) {
      try {
        for await (const { data } of this.#connection.events) {
          // A response has a last event of its own; without it the sentinel says little.
          if (data === doneData && (state.isOver || !state.canResume)) return;
          if (data === doneData) break;
          const event = this.#take(data, state);
          if (event === null) continue;
          yield event as Event;
        }
        if (state.isOver) return;
        throw new Error('it ended without its last event');
      } catch (error) {
        if (state.isOver) return;
        this.#opening.options.signal?.throwIfAborted();
        if (error instanceof FoundryError && !(state.canResume && error.code === 'server_error')) throw error;
        await this.#reconnect(state, error);
      }
    }
  }

  /** Null for what was there before. */
  #take(data: string, state: State): AnyEvent | null {
    const event = JSON.parse(data) as AnyEvent;
    this.#throwIfError(event);
    const number = typeof event.sequence_number === 'number' ? event.sequence_number : null;
    const last = this.lastSequenceNumber;
    if (number !== null && last !== null) {
      if (number <= last) return null;
      // Behind a new connection a gap is the service's own; within one an event went missing.
      if (number > last + 1 && !state.isNew && state.canResume) throw new Error('events are missing in it');
    }
    state.isNew = false;
    state.failures = 0;
    if (number !== null) this.lastSequenceNumber = number;
    const response = event.response as { id?: unknown; store?: unknown } | undefined;
    if (typeof response?.id === 'string') {
      this.responseId ??= response.id;
      state.canResume ||= this.#opening.resume !== null && response.store !== false;
    }
    if (event.type !== undefined && isLast(event.type)) state.isOver = true;
    return event;
  }

  #throwIfError(event: AnyEvent): void {
    const told = event.type === 'error' ? event : event.type === undefined ? event.error : null;
    if (typeof told !== 'object' || told === null || Array.isArray(told)) return;
    const { response, attempted } = this.#connection;
    throw new FoundryError(said(response, JSON.stringify({ error: told }), null), attempted);
  }

  async #reconnect(state: State, cause: unknown): Promise<void> {
    const { resume, policy, clock, random, options } = this.#opening;
    const { lastSequenceNumber, responseId } = this;
    const broken = (why: unknown) =>
      new BrokenStreamError(this.#connection.attempted, { lastSequenceNumber, responseId }, why);
    if (resume === null || responseId === null || !state.canResume) throw broken(cause);
    state.failures++;
    if (state.failures >= policy.attempts) throw broken(cause);
    await clock.sleep(backOff(state.failures, policy, random), options.signal ?? null);
    const { id: _, ...again } = options;
    const outgoing = resume(responseId, lastSequenceNumber);
    try {
      this.#connection = await connect({ ...this.#opening, outgoing, options: again });
    } catch (error) {
      options.signal?.throwIfAborted();
      throw broken(error);
    }
    this.reconnections++;
    state.isNew = true;
  }
}

interface State {
  /** Whether the last event has come. */
  isOver: boolean;
  /** Connections in a row that brought nothing new. */
  failures: number;
  canResume: boolean;
  /** Whether nothing was read of the connection. */
  isNew: boolean;
}

const lastOfResponse = /^response\.(completed|incomplete|failed|cancelled)$/;
const lastOfOthers = /^(?!response\.).*\.(done|completed|failed)$/;

/** Whether nothing follows an event but the end. */
export const isLast = (type: string): boolean => lastOfResponse.test(type) || lastOfOthers.test(type);

export async function openStream<Event>(opening: Opening): Promise<EventStream<Event>> {
  return new EventStream<Event>(opening, await connect(opening));
}

/** There is a connection when its first event is there; until then nobody saw anything, and it can be made anew. */
const connect = ({ send, outgoing, options, idleMs }: Opening): Promise<Connection> =>
  send(outgoing, options, async (response, attempted) => {
    const type = response.headers.get('content-type') ?? '';
    if (response.body === null || !type.startsWith('text/event-stream')) {
      throw new FoundryError(
        { ...said(response, '', null), code: 'not_a_stream', message: `The answer is no stream: ${type}.` },
        attempted,
      );
    }
    const events = readEvents(response.body, idleMs);
    const first = await events.next();
    if (first.done) throw new Error('it ended before its first event');
    return { events: startingWith(first.value, events), response, attempted };
  });

async function* startingWith(
  first: ServerEvent,
  rest: AsyncGenerator<ServerEvent, void>,
): AsyncGenerator<ServerEvent, void> {
  try {
    yield first;
    yield* rest;
  } finally {
    await rest.return();
  }
}
