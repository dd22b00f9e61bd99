import type { LookupFunction } from 'node:net';
import { WebSocket } from 'ws';
import type { WebSocketLimits } from './outbound.ts';

const handshakeMilliseconds = 10_000;

/** Opens a WebSocket. Redirects are not followed. */
export async function openWebSocket(
  url: string,
  connection: { lookup: LookupFunction; ca?: string[] },
  { mostBytes, signal }: WebSocketLimits,
): Promise<WebSocket> {
  signal.throwIfAborted();
  const socket = new WebSocket(url, {
    ...connection,
    maxPayload: mostBytes,
    handshakeTimeout: handshakeMilliseconds,
    perMessageDeflate: false,
  });
  const opened = Promise.withResolvers<void>();
  const onAbort = () => {
    opened.reject(signal.reason);
    socket.terminate();
  };
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('open', opened.resolve);
  // Stays for good: an error that nobody hears would end the server; whoever uses the socket sees it close.
  socket.on('error', opened.reject);
  try {
    await opened.promise;
    return socket;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
