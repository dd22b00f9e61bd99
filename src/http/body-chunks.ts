import type { IncomingMessage } from 'node:http';
import { ApiError, apiError } from '../errors.ts';

/** What may have come and wait to be taken before the client has to wait. */
const mostWaitingBytes = 262_144;

type End = { error: unknown } | 'whole';

/**
 * The chunks of a body as they come, and at the pace at which they are taken. Node's own iterator of a stream does the
 * same, for several times as much per chunk; a large file is thousands of them.
 */
export class BodyChunks implements AsyncIterable<Uint8Array>, AsyncIterator<Uint8Array> {
  readonly #payload: IncomingMessage;
  readonly #refusal: () => ApiError;
  readonly #interruption: () => ApiError | null;
  /** Bytes that may still come. */
  #left: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #isPaused = false;
  #end: End | null = null;
  #wake: (() => void) | null = null;

  /** Throws `refusal` when the body has more bytes than `most`, and what has interrupted its request before. */
  constructor(
    payload: IncomingMessage,
    most: number,
    refusal: () => ApiError,
    interruption: () => ApiError | null,
  ) {
    this.#payload = payload;
    this.#left = most;
    this.#refusal = refusal;
    this.#interruption = interruption;
  }

  [Symbol.asyncIterator](): this {
    const error = this.#interruption();
    if (error !== null) this.#finish({ error });
    this.#payload
      .on('data', this.#onData)
      .on('end', () => this.#finish('whole'))
      .on('error', (error) => this.#finish({ error: error instanceof ApiError ? error : clientLeft() }))
      .on('close', this.#leave);
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const value = this.#waiting.shift();
      if (value !== undefined) {
        this.#waitingBytes -= value.length;
        if (this.#isPaused && this.#waiting.length === 0) {
          this.#isPaused = false;
          this.#payload.resume();
        }
        return { value, done: false };
      }
      if (this.#end === 'whole') return { value: undefined, done: true };
      if (this.#end !== null) throw this.#end.error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** What is still to come must be read all the same: a client that is writing reads no answer. */
  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#leave();
    this.#waiting = [];
    if (this.#isPaused) this.#payload.resume();
    return { value: undefined, done: true };
  }

  readonly #onData = (chunk: Uint8Array): void => {
    this.#left -= chunk.length;
    if (this.#left < 0) {
      // Its answer says that the connection ends; whoever goes on sending is cut off.
      if (this.#end !== null) this.#payload.destroy();
      this.#finish({ error: this.#refusal() });
      this.#payload.pause();
      return;
    }
    if (this.#end !== null) return;
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= mostWaitingBytes) {
      this.#isPaused = true;
      this.#payload.pause();
    }
    this.#wake?.();
  };

  /** Errors are made where they are needed only: that takes longer than all else here. */
  readonly #leave = (): void => {
    if (this.#end === null) this.#finish({ error: clientLeft() });
  };

  #finish(end: End): void {
    this.#end ??= end;
    this.#wake?.();
  }
}

const clientLeft = (): ApiError =>
  apiError('client_disconnected', 'The client went away before its body was whole.');
