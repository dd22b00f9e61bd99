import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server as ProtocolServer } from '@modelcontextprotocol/sdk/server/index.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CallToolRequestSchema, ListToolsRequestSchema } from '@modelcontextprotocol/sdk/types.js';

export interface TestTool {
  name: string;
  description?: string;
  inputSchema?: object;
  annotations?: object;
  /** What a call answers: a text, a whole result, or what it throws. */
  run?(given: Record<string, unknown>, request: IncomingMessage | undefined): unknown;
}

export interface TestServerOptions {
  tools: TestTool[];
  /** `older` speaks the transport with two addresses only. */
  kind?: 'streamable' | 'json' | 'older';
  /** Instead of the protocol; true when it has answered. */
  intercept?(request: IncomingMessage, reply: ServerResponse, message: Message | undefined): boolean;
  pageSize?: number;
}

export interface TestServer {
  url: string;
  /** Method, body's method, and headers of each request so far. */
  requests: { method: string; rpc: string | null; headers: IncomingMessage['headers'] }[];
  calls: { name: string; arguments: Record<string, unknown> }[];
  /** Sessions that were begun and not ended. */
  readonly sessions: number;
  /** How often tools were listed. */
  readonly listings: number;
  /** Forgets its sessions, as after a restart. */
  forget(): void;
  /** Breaks all connections off. */
  cut(): void;
  close(): Promise<void>;
}

/** An MCP server on a free loopback port, made with the protocol's own SDK. */
export async function mcpTestServer(options: TestServerOptions): Promise<TestServer> {
  const { tools, kind = 'streamable', intercept, pageSize = 50 } = options;
  const requests: TestServer['requests'] = [];
  const calls: TestServer['calls'] = [];
  const streamable = new Map<string, StreamableHTTPServerTransport>();
  const older = new Map<string, SSEServerTransport>();
  let listings = 0;

  const protocol = async (transport: Transport, latest: () => IncomingMessage | undefined) => {
    const server = new ProtocolServer({ name: 'test', version: '1' }, { capabilities: { tools: {} } });
    server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
      listings++;
      const start = Number(params?.cursor ?? 0);
      const next = start + pageSize;
      return {
        tools: tools.slice(start, next).map(({ run: _, ...tool }) => ({
          inputSchema: { type: 'object' as const },
          ...tool,
        })) as never,
        ...(next < tools.length ? { nextCursor: String(next) } : {}),
      };
    });
    server.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: given = {} } }) => {
      calls.push({ name, arguments: given });
      const tool = tools.find((one) => one.name === name);
      const answer = await tool?.run?.(given, latest());
      return (
        typeof answer === 'object' && answer !== null
          ? answer
          : { content: [{ type: 'text', text: String(answer ?? 'done') }] }
      ) as never;
    });
    await server.connect(transport);
  };

  const handle = async (request: IncomingMessage, reply: ServerResponse): Promise<void> => {
    const body = await bodyOf(request);
    requests.push({ method: request.method ?? '', rpc: body?.method ?? null, headers: request.headers });
    if (intercept?.(request, reply, body)) return;
    const url = new URL(request.url ?? '', 'http://x');
    if (kind === 'older') {
      if (request.method === 'GET') {
        const transport = new SSEServerTransport('/messages', reply);
        older.set(transport.sessionId, transport);
        reply.on('close', () => older.delete(transport.sessionId));
        await protocol(transport, () => request);
        return;
      }
      const transport = older.get(url.searchParams.get('sessionId') ?? '');
      if (transport === undefined) {
        reply.writeHead(405).end();
        return;
      }
      await transport.handlePostMessage(request, reply, body);
      return;
    }
    const id = request.headers['mcp-session-id'];
    let transport = streamable.get(String(id));
    if (transport === undefined) {
      if (id !== undefined) {
        reply.writeHead(404).end('no such session');
        return;
      }
      const made = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        enableJsonResponse: kind === 'json',
        onsessioninitialized: (sessionId) => void streamable.set(sessionId, made),
        onsessionclosed: (sessionId) => void streamable.delete(sessionId),
      });
      transport = made;
      await protocol(made as unknown as Transport, () => request);
    }
    await transport.handleRequest(request, reply, body);
  };

  const server: Server = createServer((request, reply) => {
    handle(request, reply).catch(() => reply.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`,
    requests,
    calls,
    get sessions() {
      return streamable.size + older.size;
    },
    get listings() {
      return listings;
    },
    forget: () => streamable.clear(),
    cut: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The parts of a message that tests look at. */
interface Message {
  method?: string;
  id?: number;
  params?: { name?: string };
}

async function bodyOf(request: IncomingMessage): Promise<Message | undefined> {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text === '' ? undefined : JSON.parse(text);
}
