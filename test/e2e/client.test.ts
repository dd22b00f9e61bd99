/** The client kit and the commands made of it, against a server process, over lines that break. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createClient, FoundryError, type ResponseStreamEvent } from '../../src/client/index.ts';

const main = new URL('../../src/main.ts', import.meta.url).pathname;

interface Fault {
  /** Answered instead. */
  answer?: { status: number; headers?: Record<string, string> };
  /** The line is cut behind so many events. */
  cutAfter?: number;
}

let directory: string;
let server: ChildProcess;
let ready: { endpoint: string; apiKey: string };
let line: Server;
let faults: Fault[] = [];
let received: IncomingMessage[] = [];
/** Cuts the line that has sent all it may. */
let cut: (() => void) | null = null;

/** Passes everything on to the server, or has its next fault. */
function pass(incoming: IncomingMessage, outgoing: ServerResponse): void {
  received.push(incoming);
  const { answer, cutAfter } = faults.shift() ?? {};
  if (answer !== undefined) {
    incoming.resume();
    outgoing
      .writeHead(answer.status, answer.headers ?? {})
      .end('{"error":{"code":"busy","message":"Later."}}');
    return;
  }
  const { method, url, headers } = incoming;
  const target = new URL(ready.endpoint);
  const onward = request({ host: '127.0.0.1', port: target.port, method, path: url, headers }, (reply) => {
    outgoing.writeHead(reply.statusCode ?? 500, reply.headers);
    let events = 0;
    reply.setEncoding('utf8').on('data', (chunk: string) => {
      for (const part of chunk.split(/(?<=\n\n)/)) {
        if (cutAfter === undefined || events < cutAfter) outgoing.write(part);
        // What is cut at once may take along what was sent before it.
        if (++events === cutAfter) cut = () => outgoing.socket?.destroy();
      }
      if (cutAfter === 0) outgoing.socket?.destroy();
    });
    reply.on('end', () => {
      if (cutAfter === undefined) outgoing.end();
    });
  });
  onward.on('error', () => outgoing.destroy());
  incoming.pipe(onward);
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  server = spawn(process.execPath, [main, 'serve', '--json', '--port', '0', '--log-level', 'error'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (server.stdout === null) throw new Error('The server has no stdout.');
  const [told] = await once(server.stdout, 'data');
  ready = JSON.parse(String(told));
  line = createServer(pass).listen(0, '127.0.0.1');
  await once(line, 'listening');
}, 30_000);
afterEach(() => {
  [faults, received] = [[], []];
});
afterAll(async () => {
  line.closeAllConnections();
  line.close();
  server.kill('SIGTERM');
  await once(server, 'close');
  rmSync(directory, { recursive: true, force: true });
});

const endpoint = (): string =>
  `http://127.0.0.1:${(line.address() as AddressInfo).port}${new URL(ready.endpoint).pathname}`;
const client = () =>
  createClient({ endpoint: endpoint(), credential: { key: ready.apiKey }, retry: { baseMs: 5 } });

async function run(words: string[], { input = '', environment = {} } = {}) {
  const child = spawn(process.execPath, [main, ...words], {
    cwd: directory,
    env: { ...process.env, FOUNDRY_MODEL_NAME: 'builtin', ...environment },
  });
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}

describe('the client', () => {
  test('lists more than a page, by cursor and by link', async () => {
    const { conversations, connections } = client();
    const names = Array.from({ length: 105 }, (_, at) => `c${String(at).padStart(3, '0')}`);
    for (const n of names) {
      await conversations.create({ body: { metadata: { n } } });
      await connections.set({ params: { name: n }, body: { type: 'OpenAPI', target: 'https://t' } });
    }
    const byCursor = await Array.fromAsync(conversations.list.all({ query: { order: 'asc', limit: 10 } }));
    expect(byCursor.map(({ metadata }) => metadata.n)).toEqual(names);
    received = [];
    // The links lead to the server as it sees itself, here past the line; they are followed as they are.
    const own = createClient({ endpoint: endpoint(), credential: { key: ready.apiKey }, fetch: onTheLine });
    const byLink = await Array.fromAsync(own.connections.list.all({ query: { maxpagesize: 50 } }));
    expect(byLink.map(({ name }) => name)).toEqual(names);
    expect(received).toHaveLength(3);
  });

  test('tells errors of the server by code, target and ids', async () => {
    const failed = client().agents.get({ params: { agent_name: 'none' } }, { clientRequestId: 'mine' });
    const error = await failed.catch((thrown) => thrown);
    expect(error).toBeInstanceOf(FoundryError);
    expect(error).toMatchObject({
      status: 404,
      code: 'not_found',
      target: 'agent_name',
      clientRequestId: 'mine',
      requestId: expect.stringMatching(/^[\da-f]{32}$/),
      attempts: 1,
    });
  });

  test('has a write carried out once, though its answer was lost', async () => {
    faults = [{ cutAfter: 0 }];
    const made = await client().conversations.create({ body: { metadata: { once: 'yes' } } });
    expect(received).toHaveLength(2);
    const all = await Array.fromAsync(client().conversations.list.all());
    expect(all.filter(({ metadata }) => metadata.once === 'yes')).toEqual([made]);
  });

  test.each([{ background: true }, { background: false }])(
    'has all of a stream that is cut: %j',
    async (how) => {
      const whole = { model: 'builtin', input: 'Count to 60', ...how };
      const expected = (await client().responses.create({ body: { ...whole, background: false } })).output;
      // Four cuts, one of them before anything came.
      faults = [{ cutAfter: 0 }, { cutAfter: 3 }, { cutAfter: 20 }, { cutAfter: 1 }];
      const stream = await client().responses.create.stream({ body: whole });
      const events: ResponseStreamEvent[] = [];
      for await (const event of stream) {
        events.push(event);
        if (![3, 23, 24].includes(events.length)) continue;
        cut?.();
      }
      expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, at) => at));
      const last = events.at(-1);
      expect(last?.type).toBe('response.completed');
      const said = events.flatMap((event) =>
        event.type === 'response.output_text.delta' ? [event.delta] : [],
      );
      expect(JSON.stringify(expected)).toContain(JSON.stringify(said.join('')));
      expect(stream.reconnections).toBe(3);
      expect(
        received.slice(3).map(({ url }) => new URL(url ?? '', 'http://h').searchParams.get('starting_after')),
      ).toEqual(['2', '22', '23']);
    },
  );
});

test('the example of the guide runs, with the client of this checkout', { timeout: 30_000 }, async () => {
  const root = new URL('../../', import.meta.url);
  const kit = new URL('src/client/index.ts', root).href;
  const guide = readFileSync(new URL('docs/guide/client.md', root), 'utf8');
  const [, example = ''] = /<!-- example: client.ts -->\n+```ts\n([\s\S]*?)```/.exec(guide) ?? [];
  const child = spawn(process.execPath, ['--input-type=module-typescript'], {
    cwd: root,
    env: { ...process.env, FOUNDRY_PROJECT_ENDPOINT: endpoint(), FOUNDRY_PROJECT_API_KEY: ready.apiKey },
  });
  child.stdin.end(example.replace('bloomery/client', kit));
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  expect([stdout, stderr.split('\n').at(-2)]).toEqual([
    'well met, traveller\ngreeter 1\n404 not_found agent_name\n',
    expect.stringMatching(/^GET .*nobody\?api-version=v1: 404 \(1, [\da-f]{32}\), again in null ms$/),
  ]);
  await client().agents.delete({ params: { agent_name: 'greeter' } });
});

/** The server's own address, reached over the line. */
const onTheLine: typeof fetch = (url, init) =>
  fetch(String(url).replace(new URL(ready.endpoint).origin, new URL(endpoint()).origin), init);

describe('the commands', { timeout: 60_000 }, () => {
  test('make, list, get and delete', async () => {
    const definition = { kind: 'prompt', model: 'builtin', instructions: 'Say exactly: well met' };
    writeFileSync(join(directory, 'agent.json'), JSON.stringify({ name: 'greeter', definition }));
    const made = await run(['agents', 'create', '--file', 'agent.json', '--json']);
    expect(JSON.parse(made.stdout)).toMatchObject({ name: 'greeter' });
    expect((await run(['agents', 'list'])).stdout).toBe(
      'NAME     VERSION  KIND    MODEL    STATE\ngreeter  1        prompt  builtin  enabled\n',
    );
    expect((await run(['responses', 'run', '--agent', 'greeter', 'hello'])).stdout).toBe('well met\n');
    expect(JSON.parse((await run(['agents', 'get', 'greeter'])).stdout)).toMatchObject({
      versions: { latest: { definition } },
    });
    expect((await run(['agents', 'delete', 'greeter'])).stdout).toBe('delete greeter: done\n');
    expect((await run(['agents', 'list', '--json'])).stdout).toBe('[]\n');
    expect(await run(['agents', 'get', 'greeter'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /^bloomery: No agent 'greeter' exists .*\n404 not_found \(agent_name\), x-request-id [\da-f]{32}, x-ms-client-request-id [\da-f-]{36}\n$/,
      ),
    });
  });

  test('send files there and back', async () => {
    const content = 'line\n'.repeat(10_000);
    writeFileSync(join(directory, 'notes.txt'), content);
    const { id } = JSON.parse((await run(['files', 'upload', 'notes.txt', '--json'])).stdout);
    expect((await run(['files', 'list'])).stdout).toMatch(
      new RegExp(`${id}  50000 .* assistants .* notes.txt\n$`),
    );
    expect((await run(['files', 'download', id])).stdout).toBe(content);
    await run(['files', 'download', id, '--output', 'back.txt']);
    expect(readFileSync(join(directory, 'back.txt'), 'utf8')).toBe(content);
  });

  test('reach any endpoint, and outlive what it does', async () => {
    const environment = { FOUNDRY_PROJECT_ENDPOINT: endpoint(), FOUNDRY_PROJECT_API_KEY: ready.apiKey };
    faults = [{ answer: { status: 429, headers: { 'retry-after': '0' } } }, { cutAfter: 9 }, {}];
    const cutting = setInterval(() => cut?.(), 500);
    const words = [
      'responses',
      'run',
      '--endpoint',
      'env',
      '--background',
      'Say exactly: still here, all of it',
    ];
    expect(await run(words, { environment })).toEqual({
      code: 0,
      stdout: 'still here, all of it\n',
      stderr: '',
    });
    clearInterval(cutting);
    expect(received.map(({ method }) => method).slice(0, 2)).toEqual(['POST', 'POST']);
    expect(received.length).toBeGreaterThan(2);
    const asJson = await run(['responses', 'run', '-', '--json', '--endpoint', endpoint()], {
      environment,
      input: 'Say exactly: hi',
    });
    expect(JSON.parse(asJson.stdout)).toMatchObject({ status: 'completed' });
  });

  test.each([
    [['agents'], 2, 'Say what to do: list, get, '],
    [['agents', 'lst'], 2, "Did you mean 'list'?"],
    [['datasets', 'get', 'a'], 2, 'Which? get NAME VERSION'],
    [['agents', 'list', 'a'], 2, "`list` takes no 'a'."],
    [['agents', 'create'], 2, 'create needs --file FILE'],
    [['agents', 'list', '--file', 'x'], 2, '--file is not for `list`.'],
    [['agents', 'list', '--limit', '0'], 2, '--limit must be a number'],
    [['agents', 'create', '--file', 'nowhere.json'], 1, 'nowhere.json cannot be read'],
    [['files', 'upload', 'nowhere.txt'], 1, 'nowhere.txt cannot be read'],
    [['agents', 'list', '--token-env', 'T'], 2, '--token-env goes with --endpoint.'],
    [['agents', 'list', '--endpoint', 'http://h/api/projects/p'], 1, 'FOUNDRY_PROJECT_API_KEY holds nothing'],
    [['agents', 'list', '--data', 'elsewhere'], 6, 'No server runs'],
  ] as [string[], number, string][])('%j ends with %i', async (words, code, message) => {
    const ended = await run(words, { environment: { FOUNDRY_PROJECT_API_KEY: '' } });
    expect([ended.code, ended.stdout]).toEqual([code, '']);
    expect(ended.stderr).toContain(message);
  });
});
