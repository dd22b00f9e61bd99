import { parentPort } from 'node:worker_threads';
import { ApiError, type ErrorCode } from '../../errors.ts';

/** What a worker does, by name: each takes one value and answers one, and none of them waits for anything. */
export type Calls = { [name: string]: (input: never) => unknown };

export interface Call {
  id: number;
  name: string;
  input: unknown;
}

export type Answer = { id: number } & ({ value: unknown } | { fault: Fault });

export interface Fault {
  message: string;
  /** Of the catalogue; null for faults of the server. */
  code: ErrorCode | null;
  target: string | null;
}

export const endOfCalls = 'end';

/** In a worker: answers calls in the order they come, until it is told that there are no more. */
export function answerCalls(calls: Calls, close: () => void): void {
  const port = parentPort;
  if (port === null) throw new Error('Calls are answered in worker threads only.');
  port.on('message', (message: Call | typeof endOfCalls) => {
    if (message === endOfCalls) {
      close();
      port.close();
      return;
    }
    port.postMessage({ id: message.id, ...outcome(calls, message) } satisfies Answer);
  });
}

function outcome(calls: Calls, { name, input }: Call): { value: unknown } | { fault: Fault } {
  try {
    return { value: calls[name]?.(input as never) };
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

/** An error as it passes between threads. */
export function faultOf(error: unknown): Fault {
  const { message } = error as Error;
  if (!(error instanceof ApiError)) return { message, code: null, target: null };
  return { message, code: error.code as ErrorCode, target: error.target };
}
