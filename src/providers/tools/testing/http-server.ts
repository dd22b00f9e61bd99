import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  method: string;
  /** As it came, percent-encoded. */
  url: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

export interface HttpServer {
  url: string;
  requests: SeenRequest[];
  close(): Promise<void>;
}

export type AnswerRequest = (response: ServerResponse, request: SeenRequest) => void;

/** A server of a test's own, on a free port, that keeps what it was asked. */
export async function httpServer(answer: AnswerRequest): Promise<HttpServer> {
  const requests: SeenRequest[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const seen = { method, url, headers, body: Buffer.concat(chunks) };
    requests.push(seen);
    answer(response, seen);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export const json =
  (value: unknown, status = 200): AnswerRequest =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
