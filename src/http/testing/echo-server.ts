import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import Type from 'typebox';
import { WebSocket } from 'ws';
import { createApp } from '../../app.ts';
import { type Limits, loadConfig } from '../../config.ts';
import { apiError, invalidPayload } from '../../errors.ts';
import type { Context } from '../../kit/context.ts';
import { EventStream, family, op, type StreamEvent } from '../../kit/operation.ts';
import { ensureCertificates } from '../../trust/certificates.ts';
import { everything, type Grant } from '../../trust/principal.ts';
import type { AuditTrail } from '../audit.ts';
import { listen } from '../listener.ts';

const shared = { wire: 'openai', onAgentEndpoint: true, path: '/echoes' } as const;
const operations = {
  list: op({ ...shared, method: 'GET', summary: 'List echoes', result: Type.Object({}) }),
  create: op({
    ...shared,
    method: 'POST',
    summary: 'Create an echo',
    body: Type.Object({
      text: Type.String(),
      stream: Type.Optional(Type.Boolean()),
      background: Type.Optional(Type.Boolean()),
    }),
    result: Type.Object({}),
    streams: true,
  }),
};

interface Call {
  end(): void;
  /** Settles with the reason when the caller goes away. */
  aborted: Promise<unknown>;
}

/** A family that says what it is told, and remembers what it did. */
function echoes() {
  const calls = new Map<string, Call>();
  const order: string[] = [];
  const echo = async function* (ctx: Context, text: string): AsyncGenerator<StreamEvent> {
    const event = (type: string, more: object) => ({ type, data: JSON.stringify({ type, ...more }) });
    const { endpointAgent: agent, project, userIdentity: user } = ctx;
    order.push(text);
    yield event('echo.begun', { text, agent, project, user });
    if (text === 'break') throw new Error('broken');
    if (text === 'flood') {
      for (let i = 0; i < floodEvents; i++) {
        order.push(`flood ${i}`);
        yield event('echo.flood', { i, filler: 'x'.repeat(10_000) });
      }
    }
    if (text.startsWith('hold')) {
      const held = Promise.withResolvers<void>();
      const aborted = Promise.withResolvers<unknown>();
      ctx.signal.addEventListener('abort', () => {
        aborted.resolve(ctx.signal.reason);
        held.resolve();
      });
      calls.set(text, { end: held.resolve, aborted: aborted.promise });
      await held.promise;
    }
    yield event('echo.ended', { text });
  };
  return {
    calls,
    order,
    family: family('echoes', operations, {
      list: () => ({}),
      create(ctx, { body: { text } }) {
        if (text === 'fail') throw invalidPayload('text', 'No such echo.');
        return new EventStream(frames(echo(ctx, text)), String, echo(ctx, text));
      },
    }),
  };
}

export const floodEvents = 2000;

async function* frames(events: AsyncIterable<StreamEvent>): AsyncGenerator<string> {
  for await (const { data } of events) yield data;
}

export interface ClientOptions {
  at?: string;
  headers?: Record<string, string>;
  protocols?: string[];
  scheme?: 'ws' | 'wss';
}

export type Event = Record<string, unknown> & { type: string; error: Record<string, unknown> };

/** Where the echoes are. */
export const echoPath = '/api/projects/default/openai/v1/echoes';

export type EchoServer = Awaited<ReturnType<typeof echoServer>>;

export interface EchoServerParts {
  /** Of further keys. */
  grants?: Record<string, Grant[]>;
  audit?: AuditTrail | null;
}

/**
 * A real server of one operation, called by POST and by messages of the type `echo.create`. A `text` that begins with
 * `hold` goes on until its call is ended; `fail` and `break` fail before and after the first event; `flood` is long.
 */
export async function echoServer(
  limits: Partial<Limits> = {},
  { grants = {}, audit = null }: EchoServerParts = {},
) {
  const granted = new Map(Object.entries({ key: everything, ...grants }));
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const config = loadConfig({ file: null, environment: {} });
  const { calls, order, family: echoFamily } = echoes();
  const app = await createApp({
    config: { ...config, limits: { ...config.limits, ...limits } },
    credentials: {
      verifyKey: (key) => {
        const held = granted.get(key);
        return held === undefined ? null : { kind: 'key', id: 'test', name: 'test', grants: held };
      },
      async verifyToken(token) {
        if (token === 'good.token') return { kind: 'key', id: 'test', name: 'test', grants: everything };
        throw apiError('invalid_credential', 'Not this one.');
      },
    },
    families: [{ ...echoFamily, messages: { 'echo.create': 'create' } }],
    log: pino({ level: 'silent' }),
    audit,
    installPublicRoutes() {},
  });
  const { key, certificate, ca } = await ensureCertificates(directory, []);
  const listener = await listen(app.routing as RequestListener, {
    host: '127.0.0.1',
    port: 0,
    tls: { key, cert: certificate },
    onUpgrade: app.webSockets.upgrade,
  });
  const clients: WebSocket[] = [];
  const client = (options: ClientOptions = {}): WebSocket => {
    const { at = echoPath, protocols = [], scheme = 'wss', headers = { 'api-key': 'key' } } = options;
    const socket = new WebSocket(`${scheme}://localhost:${listener.port}${at}`, protocols, { ca, headers });
    clients.push(socket);
    return socket;
  };

  return {
    calls,
    order,
    /** `http://HOST:PORT` */
    origin: `http://localhost:${listener.port}`,
    client,
    drain: app.webSockets.drain,
    interrupt: app.interrupt,

    /** An open connection, and its events in order. */
    async connect(options?: ClientOptions) {
      const socket = client(options);
      const events: Event[] = [];
      let wake = () => {};
      socket.on('message', (data) => {
        events.push(JSON.parse(String(data)));
        wake();
      });
      await once(socket, 'open');
      return {
        socket,
        events,
        create: (text: string, more: object = {}) =>
          socket.send(JSON.stringify({ type: 'echo.create', text, ...more })),
        /** The events so far, as soon as one fits. */
        async until(fits: (event: Event) => boolean): Promise<Event[]> {
          while (!events.some(fits)) {
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
          }
          return events;
        },
      };
    },

    /** What a refused handshake was answered with. */
    async refusal(options: ClientOptions) {
      const socket = client(options);
      socket.on('error', () => {});
      const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage];
      return answer(response);
    },

    /** Cuts the connections and forgets what was done on them. */
    reset(): void {
      for (const socket of clients.splice(0)) socket.terminate();
      calls.clear();
      order.length = 0;
    },

    async close(): Promise<void> {
      await listener.close(0);
      await app.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export async function answer(response: IncomingMessage) {
  let text = '';
  for await (const chunk of response) text += chunk;
  return { status: response.statusCode, headers: response.headers, body: JSON.parse(text) };
}

export const ended = (text: string) => (event: Event) => event.type === 'echo.ended' && event.text === text;
export const begun = (text: string) => (event: Event) => event.type === 'echo.begun' && event.text === text;
export const isError = (event: Event) => event.type === 'error';
