import type { RawData, WebSocket } from 'ws';
import { isRecord } from '../../../kit/record.ts';
import { toolFailure } from '../tool-failure.ts';

type Params = Record<string, unknown>;

/** A browser, by the Chrome DevTools Protocol. */
export interface DevTools {
  readonly isOpen: boolean;
  /** Sends a command to the browser, or to what a session is attached to, and returns its result. */
  send(method: string, params: Params, options: { sessionId?: string; signal: AbortSignal }): Promise<Params>;
  /** Tells the browser to end, and lets go of it. */
  close(): void;
}

interface Waiting {
  resolve(result: Params): void;
  reject(error: unknown): void;
}

/** `onEvent` hears of what happens in sessions without a command's asking for it. */
export function devTools(socket: WebSocket, onEvent: (method: string, sessionId: string) => void): DevTools {
  const waiting = new Map<number, Waiting>();
  let lastId = 0;
  let isOpen = true;

  socket.on('message', (data: RawData) => {
    const message = parsed(String(data));
    const { id, method, result, error, sessionId } = message;
    if (typeof id !== 'number') {
      if (typeof method === 'string' && typeof sessionId === 'string') onEvent(method, sessionId);
      return;
    }
    const waiter = waiting.get(id);
    waiting.delete(id);
    if (isRecord(error))
      waiter?.reject(new DevToolsError(typeof error.message === 'string' ? error.message : ''));
    else waiter?.resolve(isRecord(result) ? result : {});
  });
  socket.on('close', () => {
    isOpen = false;
    for (const { reject } of waiting.values()) reject(gone());
    waiting.clear();
  });

  return {
    get isOpen() {
      return isOpen;
    },
    async send(method, params, { sessionId, signal }) {
      signal.throwIfAborted();
      if (!isOpen) throw gone();
      const id = ++lastId;
      const answer = Promise.withResolvers<Params>();
      const onAbort = () => answer.reject(signal.reason);
      waiting.set(id, answer);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        socket.send(
          JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }),
        );
        return await answer.promise;
      } finally {
        waiting.delete(id);
        signal.removeEventListener('abort', onAbort);
      }
    },
    close() {
      if (!isOpen) return;
      socket.send(JSON.stringify({ id: ++lastId, method: 'Browser.close', params: {} }));
      socket.close();
    },
  };
}

/** What the browser itself answers to a command that it can't do. */
export class DevToolsError extends Error {}

const gone = () => toolFailure('The browser has gone away.');

function parsed(text: string): Params {
  try {
    const message: unknown = JSON.parse(text);
    return isRecord(message) ? message : {};
  } catch {
    return {};
  }
}
