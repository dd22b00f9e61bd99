import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { Outbound } from '../../outbound/outbound.ts';
import type { McpEndpoint } from './endpoint.ts';
import { statusOf } from './failures.ts';
import { watchedFetch } from './watched-fetch.ts';

/** A session that was begun with an MCP server. */
export interface Connection {
  client: Client;
  transport: Transport;
  /** Tells the server that the session is over, and waits for that no longer than told. */
  end(milliseconds: number): Promise<void>;
}

export interface Opening {
  connection: Promise<Connection>;
  /** Breaks it off without a word to the server, also while it is being opened. */
  abandon(): void;
}

const mostBytes = 8 * 1_048_576;
const connectMilliseconds = 30_000;
/** By these a server of the older kind says that it does not know the newer one. */
const olderKind = new Set([400, 404, 405, 406, 415, 501]);
/** The code of what had no answer and will have none. */
export const lost = -32000;

type RequestId = string | number;

/** Begins a session. `onDead` is told when the one stream is gone on which servers of the older kind answer. */
export function openConnection(outbound: Outbound, endpoint: McpEndpoint, onDead: () => void): Opening {
  let client: Client | undefined;
  let abandoned = false;
  const by = (kind: 'streamable' | 'sse') =>
    connectBy(kind, outbound, endpoint, {
      onDead,
      onClient(made) {
        if (abandoned) throw new Error('The server is stopping.');
        client = made;
      },
    });
  const connect = async (): Promise<Connection> => {
    try {
      return await by('streamable');
    } catch (error) {
      if (!olderKind.has(statusOf(error) ?? 0)) throw error;
      // When it is no server of the older kind either, the first answer tells more.
      return by('sse').catch(() => {
        throw error;
      });
    }
  };
  const connection = connect();
  connection.catch(() => {});
  return {
    connection,
    abandon() {
      abandoned = true;
      client?.close().catch(() => {});
    },
  };
}

async function connectBy(
  kind: 'streamable' | 'sse',
  outbound: Outbound,
  { url, headers }: McpEndpoint,
  { onDead, onClient }: { onDead(): void; onClient(client: Client): void },
): Promise<Connection> {
  const { Client } = await import('@modelcontextprotocol/sdk/client/index.js');
  const suspended = new Set<RequestId>();
  const underWay = new Set<RequestId>();
  let transport: Transport;
  const lose = (id: RequestId, message: string): void => {
    // To the client it is as if the server had said so; one that was answered already hears of it no more.
    transport.onmessage?.({ jsonrpc: '2.0', id, error: { code: lost, message } });
  };
  const watched = watchedFetch(outbound, {
    mostBytes,
    sharedStream: kind === 'sse',
    onLost(id, message) {
      const all = kind === 'sse' ? underWay : suspended;
      for (const each of id === null ? [...all] : [id]) lose(each, message);
      if (id === null && kind === 'sse') onDead();
    },
    onSuspended(id) {
      if (underWay.has(id)) suspended.add(id);
    },
  });
  if (kind === 'streamable') {
    const { StreamableHTTPClientTransport } = await import(
      '@modelcontextprotocol/sdk/client/streamableHttp.js'
    );
    transport = new StreamableHTTPClientTransport(url, {
      requestInit: { headers },
      fetch: (input, init) =>
        isOwnStream(init) ? Promise.resolve(new Response(null, { status: 405 })) : watched.fetch(input, init),
    }) as Transport;
  } else {
    const { SSEClientTransport } = await import('@modelcontextprotocol/sdk/client/sse.js');
    transport = new SSEClientTransport(url, { requestInit: { headers }, fetch: watched.fetch }) as Transport;
  }
  const forget = (id: RequestId): void => {
    underWay.delete(id);
    suspended.delete(id);
  };
  // The client keeps what it finds here, and calls it first.
  transport.onmessage = (message) => {
    if ('method' in message || message.id === undefined) return;
    const id = Number(message.id);
    forget(id);
    watched.finish(id);
  };
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    const sent = send(message, options);
    if ('method' in message && 'id' in message) {
      const { id } = message;
      underWay.add(id);
      sent.catch(() => forget(id));
    }
    const canceled = canceledBy(message);
    if (canceled !== undefined) {
      forget(canceled);
      watched.drop(canceled);
    }
    return sent;
  };

  const client = new Client({ name: 'bloomery', version: '0.1.0' }, { capabilities: {} });
  client.onerror = ({ message }) => {
    if (!message.startsWith('Maximum reconnection attempts')) return;
    for (const id of [...suspended]) lose(id, 'The server closed the connection before it answered.');
  };
  onClient(client);
  await client.connect(transport, { timeout: connectMilliseconds });
  return {
    client,
    transport,
    async end(milliseconds) {
      const patience = Promise.withResolvers<void>();
      const timer = setTimeout(patience.resolve, milliseconds).unref();
      const { terminateSession } = transport as { terminateSession?: () => Promise<void> };
      await Promise.race([terminateSession?.call(transport), patience.promise]).catch(() => {});
      clearTimeout(timer);
      await client.close().catch(() => {});
    },
  };
}

function canceledBy(message: object): RequestId | undefined {
  const { method, params } = message as { method?: string; params?: { requestId?: RequestId } };
  return method === 'notifications/cancelled' ? params?.requestId : undefined;
}

/** The stream on which servers speak unasked: nobody would listen, so it is not opened. Resumed answers are. */
const isOwnStream = (init: RequestInit | undefined): boolean =>
  init?.method === 'GET' && !new Headers(init.headers).has('last-event-id');
