import type { IncomingMessage } from 'node:http';

/** Requests that are about to become WebSockets. */
export const upgrading = new WeakSet<IncomingMessage>();
