import { once } from 'node:events';
import {
  createServer as createHttpServer,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { apiError, type ErrorCode } from '../errors.ts';
import { errorBody } from '../kit/error-body.ts';
import { newRequestId } from '../kit/ids.ts';

const tlsHandshakeByte = 0x16;
const firstByteMilliseconds = 10_000;
const usualHeadersMilliseconds = 30_000;
const keepAliveMilliseconds = 72_000;

/** An answer to what never became a request. */
function bareAnswer(status: string, code: ErrorCode, message: string): string {
  const requestId = newRequestId();
  const body = JSON.stringify(errorBody(apiError(code, message), 'foundry', requestId));
  return (
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nConnection: close\r\n` +
    `x-request-id: ${requestId}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  );
}

const insecureAnswer = () =>
  bareAnswer(
    '403 Forbidden',
    'insecure_transport',
    'Plain HTTP is served to loopback clients only; use https.',
  );

function malformedAnswer(error: NodeJS.ErrnoException): string {
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    return bareAnswer(
      '431 Request Header Fields Too Large',
      'invalid_parameter',
      'The headers of the request are too large.',
    );
  }
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return bareAnswer(
      '408 Request Timeout',
      'request_timeout',
      'The headers of the request did not come in time. Send it again.',
    );
  }
  return bareAnswer('400 Bad Request', 'invalid_parameter', 'This is not a well-formed HTTP request.');
}

export interface Listener {
  port: number;
  /** Stops taking connections, waits for requests under way up to the limit, then cuts what is left. */
  close(drainMilliseconds: number): Promise<void>;
  /** Replaces the certificate for connections to come. */
  renew(tls: { key: string; cert: string }): void;
}

export type UpgradeListener = (request: IncomingMessage, socket: Socket, head: Buffer) => void;

export interface ListenOptions {
  host: string;
  port: number;
  tls: { key: string; cert: string };
  /** How long the headers of a request may take. */
  headersMilliseconds?: number;
  /** Is given the connections that ask to become WebSockets. */
  onUpgrade?: UpgradeListener;
}

/** HTTPS and plain HTTP on one port: the first byte of a connection tells them apart. */
export async function listen(handler: RequestListener, options: ListenOptions): Promise<Listener> {
  const { headersMilliseconds = usualHeadersMilliseconds } = options;
  const common = {
    connectionsCheckingInterval: Math.min(headersMilliseconds, usualHeadersMilliseconds),
    shouldUpgradeCallback: options.onUpgrade === undefined ? () => false : asksForWebSocket,
  };
  const http = createHttpServer(common, handler);
  const https = createHttpsServer({ ...options.tls, ...common, minVersion: 'TLSv1.2' }, handler);
  for (const server of [http, https]) {
    if (options.onUpgrade !== undefined) server.on('upgrade', options.onUpgrade);
    server.on('clientError', (error, socket) => {
      if (socket.writable) socket.end(malformedAnswer(error));
      else socket.destroy();
    });
    // They never listen themselves, but only with this do they watch over their connections: idle ones, slow ones.
    server.emit('listening');
    server.headersTimeout = headersMilliseconds;
    server.keepAliveTimeout = keepAliveMilliseconds;
    // Uploads and long model calls may take their time; silence is bounded elsewhere.
    server.requestTimeout = 0;
  }
  https.on('tlsClientError', (_error, socket) => socket.destroy());

  const sockets = new Set<Socket>();
  /** Those that have not sent a byte yet, and so nothing to finish. */
  const silent = new Set<Socket>();
  const front = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    silent.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      silent.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    const impatience = setTimeout(() => socket.destroy(), firstByteMilliseconds);
    socket.once('close', () => clearTimeout(impatience));
    socket.once('readable', () => {
      clearTimeout(impatience);
      silent.delete(socket);
      const start: Buffer | null = socket.read();
      if (start === null) return socket.destroy();
      socket.unshift(start);
      if (start[0] === tlsHandshakeByte) https.emit('connection', socket);
      else if (isLoopback(socket.remoteAddress)) http.emit('connection', socket);
      else socket.end(insecureAnswer());
    });
  });
  front.listen(options.port, options.host);
  await once(front, 'listening');

  return {
    port: (front.address() as AddressInfo).port,
    async close(drainMilliseconds) {
      const closed = once(front, 'close');
      front.close();
      for (const socket of silent) socket.destroy();
      closeIdle(http, https);
      const idle = setInterval(() => closeIdle(http, https), 50);
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, drainMilliseconds);
      await closed;
      clearInterval(idle);
      clearTimeout(cut);
    },
    renew: (tls) => https.setSecureContext(tls),
  };
}

/** Clients offer other protocols, such as `h2c`, beside plain requests; those are requests like any other. */
const asksForWebSocket = ({ method, headers }: IncomingMessage): boolean =>
  method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket';

function closeIdle(...servers: HttpServer[]): void {
  for (const server of servers) server.closeIdleConnections();
}

/** Whether a client is on this very machine: by loopback, or by an address of its own. */
export const isThisMachine = ({ remoteAddress, localAddress }: Socket): boolean =>
  isLoopback(remoteAddress) || (remoteAddress !== undefined && remoteAddress === localAddress);

export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && /^(::ffff:)?127\.|^::1$/.test(address);
