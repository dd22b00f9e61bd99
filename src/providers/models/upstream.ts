import type { DeploymentConfig } from '../../config.ts';

/** The part of a pino logger that the gateway uses. */
export interface ModelLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** A configured deployment whose server is reached over HTTP. */
export interface Upstream extends DeploymentConfig {
  baseUrl: string;
}

/** Keys would follow a redirect to another host, so none is followed. */
export const upstreamFetch: typeof fetch = (input, init) => fetch(input, { ...init, redirect: 'manual' });

export interface Deadline {
  signal: AbortSignal;
  /** Whether it was the timeout that aborted. */
  expired(): boolean;
  /** Runs one step of the call; the timeout counts only while a step is under way. */
  step<T>(work: () => PromiseLike<T>): Promise<T>;
  /** Closes the connection, should it still be open. */
  close(): void;
}

export function deadline(caller: AbortSignal, timeoutSeconds: number): Deadline {
  const own = new AbortController();
  let expired = false;
  return {
    signal: AbortSignal.any([caller, own.signal]),
    expired: () => expired,
    close: () => own.abort(),
    async step(work) {
      caller.throwIfAborted();
      const stop = Promise.withResolvers<never>();
      const onAbort = () => stop.reject(caller.reason);
      caller.addEventListener('abort', onAbort, { once: true });
      const timer = setTimeout(() => {
        expired = true;
        own.abort();
        stop.reject(own.signal.reason);
      }, timeoutSeconds * 1000);
      try {
        return await Promise.race([work(), stop.promise]);
      } finally {
        clearTimeout(timer);
        caller.removeEventListener('abort', onAbort);
      }
    },
  };
}

/** What a stream of the upstream brings, each wait for more of it a step of the call. */
export async function* readWithin<T>(limit: Deadline, stream: ReadableStream<T>): AsyncGenerator<T> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await limit.step(() => reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
