/** The local server that clients are pointed to, in front of a recorder or a replay. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import { type ApiError, apiError } from '../errors.ts';
import { identityPath } from '../http/identity-endpoint.ts';
import { type Listener, listen } from '../http/listener.ts';
import { asApiError, errorBody } from '../kit/error-body.ts';
import { newRequestId } from '../kit/ids.ts';
import { mostBodyBytes, mostHeldBytes } from './format.ts';
import { foreignOrigin, noRoom, tooMany } from './refusals.ts';
import type { Room } from './room.ts';

export { identityPath };

/** A request that has come as a whole. */
export interface Asked {
  method: string;
  /** Path and query, as they were sent. */
  url: string;
  headers: IncomingHttpHeaders;
  /** Names and values in turn, as they were sent. */
  rawHeaders: string[];
  body: Buffer;
  /** How the client calls this server: `https://127.0.0.1:8601`. */
  origin: string;
}

export interface FrontOptions {
  port: number;
  tls: { key: string; cert: string };
  /** Answers; what it throws is told to the client. */
  answer(asked: Asked, response: ServerResponse): void | Promise<void>;
  /** For the bodies that are under way. */
  room: Room;
  /** The token that clients get who ask as for a managed identity; null to have none. */
  token: string | null;
  /** Throws for who may not ask. */
  admit?(url: string, headers: IncomingHttpHeaders): void;
  /** Is told what a client was refused. */
  refused(asked: Pick<Asked, 'method' | 'url'>, error: ApiError): void;
}

const host = '127.0.0.1';
const loopbackHost = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;
const loopbackOrigin = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;
const tokenSeconds = 86_400;
const mostAtOnce = 256;

/** Without its query. */
export const pathOf = (url: string): string => url.split('?', 1)[0] ?? '';

export function front(options: FrontOptions): Promise<Listener> {
  let underWay = 0;
  const { port, tls } = options;
  return listen(
    (request, response) => {
      response.once('close', () => underWay--);
      take(options, request, response, ++underWay > mostAtOnce);
    },
    { host, port, tls },
  );
}

function take(
  options: FrontOptions,
  request: IncomingMessage,
  response: ServerResponse,
  isOneTooMany: boolean,
): void {
  const { method = 'GET', url = '/', headers } = request;
  const refuse = (thrown: unknown): void => {
    request.resume();
    const error = asApiError(thrown);
    options.refused({ method, url }, error);
    sendError(response, url, error);
  };
  try {
    if (isOneTooMany) throw tooMany(mostAtOnce);
    check(request, options);
  } catch (error) {
    refuse(error);
    return;
  }
  if (pathOf(url) === identityPath && options.token !== null) {
    sendToken(response, url, options.token);
    return;
  }
  const scheme = request.socket instanceof TLSSocket ? 'https' : 'http';
  const answer = (body: Buffer): void => {
    const asked = { method, url, headers, rawHeaders: request.rawHeaders, body };
    try {
      const done = options.answer({ ...asked, origin: `${scheme}://${headers.host}` }, response);
      done?.catch(refuse);
    } catch (error) {
      refuse(error);
    }
  };
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) {
    answer(Buffer.alloc(0));
    return;
  }
  collect(request, response, options.room, answer, refuse);
}

/** Throws for what is neither passed on nor answered, whatever it asks for. */
function check({ url = '/', headers }: IncomingMessage, { admit }: FrontOptions): void {
  // A page in a browser may have its name lead here; ours are the only names that count.
  if (!loopbackHost.test(headers.host ?? '')) {
    const message = 'Call this server by the name localhost or the address 127.0.0.1.';
    throw apiError('invalid_parameter', message, { target: 'Host' });
  }
  const { origin, 'sec-fetch-site': site } = headers;
  const isForeign = origin === undefined ? site === 'cross-site' : !loopbackOrigin.test(origin);
  if (isForeign) throw foreignOrigin();
  if (!url.startsWith('/')) {
    throw apiError('invalid_parameter', 'What is asked for must be a path.', { target: 'path' });
  }
  admit?.(url, headers);
  if (headers.upgrade?.toLowerCase() === 'websocket') throw noWebSocket();
}

function collect(
  request: IncomingMessage,
  response: ServerResponse,
  room: Room,
  use: (body: Buffer) => void,
  refuse: (error: ApiError) => void,
): void {
  const pieces: Buffer[] = [];
  let size = 0;
  let taken = 0;
  let isRefused = false;
  const stop = (error: ApiError): void => {
    isRefused = true;
    pieces.length = 0;
    refuse(error);
  };
  request.on('data', (piece: Buffer) => {
    if (isRefused) return;
    size += piece.length;
    if (size > mostBodyBytes) stop(tooLarge());
    else if (!room.take(piece.length)) stop(noRoom(mostHeldBytes));
    else {
      taken += piece.length;
      pieces.push(piece);
    }
  });
  response.once('close', () => room.free(taken));
  request.on('end', () => {
    if (!isRefused) use(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces));
  });
}

/** As the managed-identity endpoint of Azure's App Service, for `DefaultAzureCredential`; its secret is the token. */
function sendToken(response: ServerResponse, url: string, token: string): void {
  const resource = new URLSearchParams(url.slice(url.indexOf('?'))).get('resource') ?? '';
  const expires_on = String(Math.floor(Date.now() / 1000) + tokenSeconds);
  sendJson(response, 200, { access_token: token, expires_on, resource, token_type: 'Bearer' });
}

export function sendError(response: ServerResponse, url: string, error: ApiError): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const requestId = newRequestId();
  const wire = /^\/v1\/|\/openai(\/|\?|$)/.test(url) ? 'openai' : 'foundry';
  sendJson(response, error.status, errorBody(error, wire, requestId), {
    'x-request-id': requestId,
    ...error.headers,
  });
}

function sendJson(
  response: ServerResponse,
  status: number,
  content: object,
  headers: Record<string, string> = {},
): void {
  const text = JSON.stringify(content);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...headers,
  });
  response.end(text);
}

const noWebSocket = (): ApiError =>
  apiError(
    'not_implemented',
    'WebSockets are neither recorded nor replayed. Use HTTP: POST /openai/v1/responses with "stream": true.',
    { target: 'Upgrade', retry: false },
  );

const tooLarge = (): ApiError =>
  apiError('payload_too_large', `The body has more than the ${mostBodyBytes} bytes that are taken here.`, {
    target: 'body',
    retry: false,
  });
