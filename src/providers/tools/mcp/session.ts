import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { ApiError } from '../../../errors.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import { toolFailure } from '../tool-failure.ts';
import type { McpEndpoint } from './endpoint.ts';
import { callFailure, statusOf } from './failures.ts';
import { redactions } from './secrets.ts';
import { watchedFetch } from './watched-fetch.ts';

/** An MCP server as one response uses it: connected when it is first needed, and again when the connection is lost. */
export interface McpSession {
  /** Throws `ApiError`s whose messages say what went wrong and no secrets. */
  request(
    method: 'tools/list' | 'tools/call',
    params: Record<string, unknown>,
    signal: AbortSignal,
  ): Promise<Record<string, unknown>>;
  close(): void;
}

interface Connection {
  client: Client;
  transport: Transport;
  end(): Promise<void>;
}

const mostBytes = 8 * 1_048_576;
const connectMilliseconds = 30_000;
const endMilliseconds = 5000;
/** Timeouts are the caller's; the protocol's client wants one anyway. */
const noTimeout = 2 ** 31 - 1;
const lost = -32000;
/** By these a server of the older kind says that it does not know the newer one. */
const olderKind = new Set([400, 404, 405, 406, 415, 501]);

export function mcpSession(outbound: Outbound, { url, headers }: McpEndpoint): McpSession {
  const redact = redactions(headers).errors;
  let current: Promise<Connection> | null = null;
  let closed = false;

  const connection = (): Promise<Connection> => {
    if (closed) throw toolFailure('The response has ended.');
    current ??= connect(outbound, url, headers);
    return current;
  };
  const letGo = (of: Promise<Connection> | null): void => {
    if (current === of) current = null;
    of?.then(({ end }) => end()).catch(() => {});
  };
  const failure = (error: unknown): ApiError => {
    const told = callFailure(error, url);
    const message = redact(told.message);
    return message === told.message ? told : toolFailure(message);
  };

  return {
    async request(method, params, signal) {
      const { ResultSchema } = await import('@modelcontextprotocol/sdk/types.js');
      for (let attempt = 0; ; attempt++) {
        const used = connection();
        try {
          const { client } = await used;
          return await client.request({ method, params } as never, ResultSchema, {
            signal,
            timeout: noTimeout,
          });
        } catch (error) {
          signal.throwIfAborted();
          const isNew = attempt > 0;
          if (breaks(error)) letGo(used);
          // The server has forgotten the session, so it can't have run the call.
          if (statusOf(error) === 404 && !isNew && (await hasSession(used))) continue;
          throw failure(error);
        }
      }
    },
    close() {
      closed = true;
      letGo(current);
    },
  };
}

/** An error of the protocol is an answer; after any other nobody knows what the connection is good for. */
const breaks = (error: unknown): boolean =>
  !(error instanceof Error && error.name === 'McpError' && (error as { code?: number }).code !== lost);

const hasSession = (of: Promise<Connection>): Promise<boolean> =>
  of.then(
    ({ transport }) => transport.sessionId !== undefined,
    () => false,
  );

async function connect(outbound: Outbound, url: URL, headers: Record<string, string>): Promise<Connection> {
  try {
    return await connectBy('streamable', outbound, url, headers);
  } catch (error) {
    if (!olderKind.has(statusOf(error) ?? 0)) throw error;
    // When it is no server of the older kind either, the first answer tells more.
    return connectBy('sse', outbound, url, headers).catch(() => {
      throw error;
    });
  }
}

async function connectBy(
  kind: 'streamable' | 'sse',
  outbound: Outbound,
  url: URL,
  headers: Record<string, string>,
): Promise<Connection> {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const suspended = new Set<string | number>();
  const underWay = new Set<string | number>();
  let transport: Transport;
  const lose = (id: string | number, message: string): void => {
    underWay.delete(id);
    suspended.delete(id);
    // To the client it is as if the server had said so; one that was answered already hears of it no more.
    transport.onmessage?.({ jsonrpc: '2.0', id, error: { code: lost, message } });
  };
  const watched = watchedFetch(outbound, {
    mostBytes,
    sharedStream: kind === 'sse',
    onLost(id, message) {
      const all = kind === 'sse' ? underWay : suspended;
      for (const each of id === null ? [...all] : [id]) lose(each, message);
    },
    onSuspended: (id) => suspended.add(id),
  });
  if (kind === 'streamable') {
    const { StreamableHTTPClientTransport } = await import(
      '@modelcontextprotocol/sdk/client/streamableHttp.js'
    );
    transport = new StreamableHTTPClientTransport(url, {
      requestInit: { headers },
      fetch: (input, init) =>
        isOwnStream(init) ? Promise.resolve(new Response(null, { status: 405 })) : watched(input, init),
    }) as Transport;
  } else {
    const { SSEClientTransport } = await import('@modelcontextprotocol/sdk/client/sse.js');
    transport = new SSEClientTransport(url, { requestInit: { headers }, fetch: watched }) as Transport;
  }
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    if ('id' in message && 'method' in message && message.id !== undefined) underWay.add(message.id);
    return send(message, options);
  };

  const client = new Client({ name: 'bloomery', version: '0.1.0' }, { capabilities: {} });
  client.onerror = ({ message }) => {
    if (!message.startsWith('Maximum reconnection attempts')) return;
    for (const id of [...suspended]) lose(id, 'The server closed the connection before it answered.');
  };
  await client.connect(transport, { timeout: connectMilliseconds });
  return {
    client,
    transport,
    async end() {
      const patience = Promise.withResolvers<void>();
      const timer = setTimeout(patience.resolve, endMilliseconds).unref();
      const { terminateSession } = transport as { terminateSession?: () => Promise<void> };
      await Promise.race([terminateSession?.call(transport), patience.promise]).catch(() => {});
      clearTimeout(timer);
      await client.close().catch(() => {});
    },
  };
}

/** The stream on which servers speak unasked: nobody would listen, so it is not opened. Resumed answers are. */
const isOwnStream = (init: RequestInit | undefined): boolean =>
  init?.method === 'GET' && !new Headers(init.headers).has('last-event-id');
