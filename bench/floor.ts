/**
 * The least that a server of this kind can do on this machine: bare `node:http`, one JSON parse, one SQLite commit
 * or one read by key, one JSON answer. Bloomery's figures are told as a share of this one's.
 *
 * `node floor.ts DIRECTORY` prints `{"port":N,"pid":N}` when it is ready.
 */
import { randomUUIDv7 } from 'node:crypto';
import { existsSync, readFile, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setImmediate as nextTurn } from 'node:timers/promises';

const streamedChunks = 200;
const pacedMilliseconds = 50;
const keepAliveMilliseconds = 72_000;
const bodyLimit = 1_048_576;

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('Usage: node floor.ts DIRECTORY');

const database = new DatabaseSync(join(directory, 'floor.db'));
database.exec(`
  pragma journal_mode = wal;
  pragma synchronous = normal;
  create table responses (id text primary key, body text not null);
  create table agents (name text primary key, created_at integer not null, definition text not null);
`);
const insertResponse = database.prepare('insert into responses (id, body) values (?, ?)');
const upsertAgent = database.prepare('insert or replace into agents values (?, ?, ?)');
const readAgent = database.prepare('select name, created_at, definition from agents where name = ?');

type Json = Record<string, unknown>;

const server = createServer((request, response) => {
  const [, collection, name = ''] = (request.url ?? '').split('/');
  if (request.method === 'GET' && collection === 'agents') return sendAgent(response, name);
  if (request.method === 'GET' && collection === 'files') return sendFile(response, Number(name));
  readJson(request, response, (body) => {
    if (collection === 'paced-streams') return paceStream(response, body);
    if (collection === 'idle-streams') return openStream(response, responseOf(body, ''));
    if (collection === 'responses') {
      return body.stream === true ? streamResponse(response, body) : storeResponse(response, body);
    }
    upsertAgent.run(name, unixSeconds(), JSON.stringify(body.definition));
    sendAgent(response, name);
  });
});
server.keepAliveTimeout = keepAliveMilliseconds;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ port, pid: process.pid })}\n`);
});

function readJson(request: IncomingMessage, response: ServerResponse, use: (body: Json) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > bodyLimit) request.destroy();
    else chunks.push(chunk);
  });
  request.on('end', () => {
    let body: Json;
    try {
      body = JSON.parse(Buffer.concat(chunks).toString());
    } catch {
      return sendJson(response, 400, { error: { code: 'invalid_payload' } });
    }
    use(body);
  });
}

function sendJson(response: ServerResponse, status: number, content: unknown): void {
  const text = JSON.stringify(content);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

function sendAgent(response: ServerResponse, name: string): void {
  const row = readAgent.get(name);
  if (row === undefined) {
    sendJson(response, 404, { error: { code: 'not_found' } });
    return;
  }
  sendJson(response, 200, {
    object: 'agent',
    id: row.name,
    name: row.name,
    state: 'enabled',
    versions: {
      latest: {
        object: 'agent.version',
        id: `${row.name}:1`,
        name: row.name,
        version: '1',
        created_at: row.created_at,
        metadata: {},
        definition: JSON.parse(row.definition as string),
        status: 'active',
      },
    },
    agent_endpoint: {
      version_selector: {
        version_selection_rules: [{ type: 'FixedRatio', agent_version: '@latest', traffic_percentage: 100 }],
      },
      protocol_configuration: { responses: {} },
      authorization_schemes: [{ type: 'Entra' }],
    },
  });
}

function storeResponse(response: ServerResponse, body: Json): void {
  const stored = responseOf(body, `You said: ${body.input}`);
  insertResponse.run(stored.id, JSON.stringify(stored));
  sendJson(response, 200, stored);
}

/** A file of so many bytes, read anew each time. */
function sendFile(response: ServerResponse, size: number): void {
  const path = join(directory as string, `file-${size}`);
  if (!existsSync(path)) writeFileSync(path, Buffer.alloc(size, 'x'));
  readFile(path, (error, content) => {
    if (error !== null) return sendJson(response, 500, { error: { code: 'server_error' } });
    response.writeHead(200, { 'content-type': 'text/event-stream', 'content-length': content.length });
    response.end(content);
  });
}

function openStream(response: ServerResponse, stored: Json): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  response.write(frame({ type: 'response.created', response: stored, sequence_number: 0 }));
}

/** As many events as asked for, each so long after the one before, as a model would send them. */
function paceStream(response: ServerResponse, body: Json): void {
  const stored = responseOf(body, '');
  openStream(response, stored);
  const at = { item_id: `msg_${stored.id}`, output_index: 0, content_index: 0 };
  let sent = 0;
  const sendNext = () => {
    if (response.destroyed) return;
    sent++;
    const delta = { delta: ' tick', logprobs: [] };
    response.write(frame({ type: 'response.output_text.delta', ...at, ...delta, sequence_number: sent }));
    if (sent === body.events) response.end();
    else setTimeout(sendNext, pacedMilliseconds);
  };
  sendNext();
}

/** One chunk per turn of the event loop, so that each leaves by itself as a model's tokens do. */
async function streamResponse(response: ServerResponse, body: Json): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
  });
  const stored = responseOf(body, '');
  let text = '';
  for (let chunk = 0; chunk < streamedChunks && !response.destroyed; chunk++) {
    const delta = chunk === 0 ? '1' : ` ${chunk + 1}`;
    text += delta;
    response.write(
      frame({ type: 'response.output_text.delta', item_id: stored.id, delta, sequence_number: chunk }),
    );
    await nextTurn();
  }
  insertResponse.run(stored.id, JSON.stringify({ ...stored, output: outputOf(stored.id, text) }));
  response.end(frame({ type: 'response.completed', response: stored, sequence_number: streamedChunks }));
}

const frame = (event: { type: string } & Json): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

const unixSeconds = (): number => Math.floor(Date.now() / 1000);

const outputOf = (id: string, text: string) => [
  {
    id: `msg_${id}`,
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  },
];

/** As many fields as Bloomery's, so that both servers write and send as much. */
function responseOf(body: Json, text: string) {
  const id = `resp_${randomUUIDv7()}`;
  return {
    id,
    object: 'response',
    created_at: unixSeconds(),
    completed_at: unixSeconds(),
    status: 'completed',
    background: false,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: null,
    max_tool_calls: null,
    model: body.model,
    output: outputOf(id, text),
    parallel_tool_calls: true,
    previous_response_id: null,
    conversation: null,
    reasoning: { effort: null, summary: null },
    store: true,
    temperature: 1,
    top_p: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
    top_logprobs: 0,
    text: { format: { type: 'text' }, verbosity: 'medium' },
    tool_choice: 'auto',
    tools: [],
    truncation: 'disabled',
    service_tier: 'default',
    usage: {
      input_tokens: 13,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 18,
    },
    user: null,
    safety_identifier: null,
    prompt_cache_key: null,
    metadata: {},
    agent_reference: null,
  };
}
