import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { WebSocketServer } from 'ws';
import { apiError, stopping } from '../errors.ts';
import type { Context } from '../kit/context.ts';
import type { Family, Operation } from '../kit/operation.ts';
import { validator } from '../kit/validation.ts';
import { type AuditTrail, auditMessage } from './audit.ts';
import { authenticate, type Credentials } from './authentication.ts';
import { type Authorization, askedOf, permit } from './authorization.ts';
import type { Exchange } from './exchange.ts';
import type { FaultStep } from './faults.ts';
import type { UpgradeListener } from './listener.ts';
import type { Load } from './load.ts';
import { upgrading } from './upgrading.ts';
import { type Connection, type MessageOperation, serveConnection } from './websocket-connection.ts';

declare module 'fastify' {
  interface FastifyInstance {
    webSockets: WebSockets;
  }
}

export interface WebSockets {
  /** Takes a connection that asks to become a WebSocket. */
  upgrade: UpgradeListener;
  /** Opens no more; each one that is open closes when its work under way has ended. */
  drain(): void;
}

export interface WebSocketOptions {
  families: Family[];
  authorization: Authorization;
  audit: AuditTrail | null;
  credentials: Credentials;
  faults: FaultStep | null;
  /** The largest message, in bytes. */
  bodyBytes: number;
  load: Pick<Load, 'enter' | 'admitMessage' | 'leave' | 'hold'>;
}

const keyProtocol = 'openai-insecure-api-key.';
const closeMilliseconds = 5000;

/**
 * WebSockets at the paths of operations that messages can call. The request that opens one passes the router and the
 * conventions like any other, and is refused by a plain answer; installed behind the conventions, it ends here.
 */
export function installWebSockets(
  app: FastifyInstance,
  { families, credentials, authorization, audit, faults, bodyBytes, load }: WebSocketOptions,
): void {
  const served = messageOperations(families, authorization, audit, faults);
  const parse = jsonParser(app);
  const upgrades = new WeakMap<IncomingMessage, { socket: Socket; head: Buffer }>();
  const handshakes = new WeakMap<IncomingMessage, { reply: FastifyReply; refuse(error: Error): void }>();
  const open = new Set<Connection>();
  let draining = false;

  const settings = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: bodyBytes,
    closeTimeout: closeMilliseconds,
    handleProtocols,
  };
  const server = new WebSocketServer(settings);
  server.on('headers', (lines, raw) => {
    const { reply } = handshakes.get(raw) ?? {};
    for (const [name, value] of Object.entries(reply?.getHeaders() ?? {})) lines.push(`${name}: ${value}`);
  });
  server.on('wsClientError', (error, _socket, raw) => {
    handshakes.get(raw)?.refuse(badHandshake(error.message));
  });

  app.addHook('onRequest', (request, reply, done) => {
    const upgrade = request.headers.upgrade === undefined ? undefined : upgrades.get(request.raw);
    if (upgrade === undefined) return done();
    const operations = served.get(placeOf(request.routeOptions.config.operation));
    if (operations === undefined) return done(noWebSocket(request));
    if (draining) return done(stopping());
    let free: () => void;
    try {
      free = load.hold('webSockets', request.exchange.project);
    } catch (error) {
      return done(error as Error);
    }
    reply.raw.once('close', free);
    handshakes.set(request.raw, { reply, refuse: done });
    server.handleUpgrade(request.raw, upgrade.socket, upgrade.head, (socket) => {
      reply.hijack();
      reply.raw.statusCode = 101;
      const { exchange } = request;
      const parts = {
        ...{ opening: exchange, operations, parse, load, waitingBytes: bodyBytes },
        authenticate: () => authenticate(request, credentials),
      };
      const connection = serveConnection(socket, parts);
      open.add(connection);
      socket.on('close', () => open.delete(connection));
    });
  });

  app.decorate('webSockets', {
    upgrade(request, socket, head) {
      socket.on('error', () => socket.destroy());
      takeKey(request);
      upgrades.set(request, { socket, head });
      upgrading.add(request);
      const response = new ServerResponse(request);
      response.shouldKeepAlive = false;
      response.assignSocket(socket);
      response.once('finish', () => socket.destroySoon());
      app.routing(request, response);
    },
    drain() {
      draining = true;
      for (const connection of open) connection.finish('stopping');
    },
  });
}

/** Where an operation is served, but for the method. */
const placeOf = (operation: Operation | undefined): string => `${operation?.wire} ${operation?.path}`;

/** By place, and there by the type of the message. */
function messageOperations(
  families: Family[],
  authorization: Authorization,
  audit: AuditTrail | null,
  faults: FaultStep | null,
): Map<string, Map<string, MessageOperation>> {
  const served = new Map<string, Map<string, MessageOperation>>();
  for (const { operations, handlers, messages = {} } of families) {
    for (const [type, name] of Object.entries(messages)) {
      const operation = operations[name];
      const handler = handlers[name] as (ctx: Context, input: unknown) => unknown;
      if (operation?.body === undefined) throw new Error(`'${type}' calls '${name}', which takes no body.`);
      const there = served.get(placeOf(operation)) ?? new Map<string, MessageOperation>();
      served.set(placeOf(operation), there);
      const atProject = askedOf(operation, 'openai');
      const atAgent = askedOf(operation, 'agent-endpoint');
      const asked = ({ mount }: Exchange) => (mount === 'agent-endpoint' ? atAgent : atProject);
      there.set(type, {
        summary: operation.summary,
        // It may have been opened for another operation, so that each message is asked for its own.
        permit(exchange) {
          permit(exchange, authorization, asked(exchange));
        },
        ended(exchange, status) {
          if (audit !== null) auditMessage(audit, exchange, asked(exchange), status);
        },
        check: validator(operation.body, 'body'),
        async handle(exchange, body) {
          const struck = faults?.ofMessage(operation, exchange, body) ?? null;
          if (struck !== null) await struck.before();
          const result = await handler(exchange, { params: undefined, query: undefined, body });
          return struck === null ? result : struck.after(result);
        },
      });
    }
  }
  return served;
}

/** The parser of request bodies. */
function jsonParser(app: FastifyInstance): (text: string) => unknown {
  const parse = app.getDefaultJsonParser('error', 'error');
  return (text) => {
    if (text === '') throw apiError('invalid_json', 'The message is empty.', { target: 'body' });
    let parsed: unknown;
    parse(null as unknown as FastifyRequest, text, (error, value) => {
      if (error) throw error;
      parsed = value;
    });
    return parsed;
  };
}

const offered = (request: IncomingMessage): string[] =>
  (request.headers['sec-websocket-protocol'] ?? '').split(',').map((protocol) => protocol.trim());

/** Browsers can't set headers on WebSockets; their clients offer the key as a subprotocol. */
function takeKey(request: IncomingMessage): void {
  const { headers } = request;
  if (headers.authorization !== undefined || headers['api-key'] !== undefined) return;
  const key = offered(request).find((protocol) => protocol.startsWith(keyProtocol));
  if (key !== undefined) headers.authorization = `Bearer ${key.slice(keyProtocol.length)}`;
}

/** Browsers need one of their offers taken; the key is given back only to those who offer nothing else. */
function handleProtocols(protocols: Set<string>): string | false {
  const [first] = protocols;
  return [...protocols].find((protocol) => !protocol.startsWith(keyProtocol)) ?? first ?? false;
}

const noWebSocket = (request: FastifyRequest) =>
  apiError('not_found', `There is no WebSocket at ${request.url.split('?', 1)[0]?.slice(0, 200)}.`);

const badHandshake = (message: string) =>
  apiError('invalid_parameter', `${message}.`, {
    target: /Sec-WebSocket-\w+/.exec(message)?.[0] ?? 'Upgrade',
    headers: { 'sec-websocket-version': '13' },
  });
