import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ModelEvent, ModelProvider, ModelRequest } from '../model.ts';
import { plainRequest } from '../plain-request.ts';
import type { ModelLog, Upstream } from '../upstream.ts';

/** A model server of a test's own, on a free port. */
export interface FakeUpstream {
  url: string;
  port: number;
  requests: {
    path: string;
    headers: IncomingMessage['headers'];
    /** Of JSON only; empty for anything else. */
    body: Record<string, unknown>;
    bytes: Buffer;
  }[];
  /** Settles when a client closed a connection before its answer ended. */
  aborted: Promise<void>;
  close(): Promise<void>;
}

export type Answer = (response: ServerResponse, request: IncomingMessage) => void;

export async function fakeUpstream(answer: Answer): Promise<FakeUpstream> {
  const aborted = Promise.withResolvers<void>();
  const requests: FakeUpstream['requests'] = [];
  const server = createServer(async (request, response) => {
    response.on('close', () => {
      if (!response.writableFinished) aborted.resolve();
    });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const isJson = bytes.length > 0 && !request.headers['content-type']?.startsWith('multipart/');
    requests.push({
      path: request.url ?? '',
      headers: request.headers,
      body: isJson ? JSON.parse(bytes.toString()) : {},
      bytes,
    });
    answer(response, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    requests,
    aborted: aborted.promise,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers with server-sent events; a text among them is sent as it is. */
export const events =
  (list: (object | string)[], end: 'end' | 'hang' | 'break' = 'end'): Answer =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of list) {
      const type = typeof event === 'object' && 'type' in event ? `event: ${event.type}\n` : '';
      response.write(`${type}data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`);
    }
    if (end === 'end') response.end();
    if (end === 'break') setTimeout(() => response.destroy(), 50);
  };

export const status =
  (code: number, body: unknown, headers: Record<string, string> = {}): Answer =>
  (response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

export function upstreamAt(baseUrl: string, rest: Partial<Upstream> = {}): Upstream {
  return {
    name: 'my-model',
    provider: 'openai-compatible',
    model: 'some-model',
    baseUrl,
    apiKey: 'secret-key-of-the-upstream',
    apiVersion: null,
    timeoutSeconds: 10,
    modelVersion: null,
    modelPublisher: null,
    ...rest,
  };
}

export function modelRequest(rest: Partial<ModelRequest> = {}): ModelRequest {
  return {
    ...plainRequest,
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Say hello.' }] }],
    stream: true,
    ...rest,
  };
}

export interface RecordedLog extends ModelLog {
  lines: string[];
}

export function recordedLog(): RecordedLog {
  const lines: string[] = [];
  const write = (fields: object, message: string) => void lines.push(`${message} ${JSON.stringify(fields)}`);
  return { lines, debug: write, info: write, warn: write };
}

export async function collect(
  provider: ModelProvider,
  request: ModelRequest,
  signal: AbortSignal = new AbortController().signal,
): Promise<ModelEvent[]> {
  if (provider.generate === undefined) throw new Error('the provider generates nothing');
  return Array.fromAsync(provider.generate(request, signal));
}
