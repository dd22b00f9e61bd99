import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const entry = join(import.meta.dirname, '../../bin/bloomery.js');

let directory: string;
let server: ChildProcess;
let base: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  writeFileSync(
    join(directory, 'scenarios.yaml'),
    'scenarios:\n' +
      '  - when: { input: slow start }\n    reply: { text: late, delay_ms: 20000 }\n' +
      '  - when: { input: slow words }\n    reply: { chunks: [a, b, c, d], chunk_delay_ms: 10000 }\n',
  );
  writeFileSync(
    join(directory, 'bloomery.yaml'),
    'discovery: false\nscenarios: [scenarios.yaml]\nlimits: { drainSeconds: 1 }\n',
  );
  server = spawn(
    process.execPath,
    [entry, 'serve', '--json', '--port', '0', '--api-key', 'key', '--log-level', 'error'],
    {
      cwd: directory,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const [line] = await once(server.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  base = JSON.parse(String(line)).endpoint.replace('https:', 'http:');
});
afterEach(() => {
  server.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

const post = (path: string, body: object) =>
  fetch(`${base}/openai/v1${path}`, {
    method: 'POST',
    headers: { 'api-key': 'key', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'builtin', ...body }),
  });

async function stop(): Promise<number | null> {
  server.kill('SIGTERM');
  const [code] = await once(server, 'exit');
  return code;
}

/** Long enough for a request to have reached its model. */
const underWay = () => new Promise((resolve) => setTimeout(resolve, 200));

describe('a server that is stopped ends what is under way in good order', () => {
  test('a stream that has begun', async () => {
    const response = await post('/responses', { input: 'slow words', stream: true });
    const [text, code] = await Promise.all([response.text(), stop()]);
    expect(text).toContain('event: response.failed');
    expect([text.endsWith('event: done\ndata: [DONE]\n\n'), code]).toEqual([true, 0]);
  });

  test('a stream that has not begun yet, and an answer that was awaited', async () => {
    const both = [
      post('/responses', { input: 'slow start', stream: true }),
      post('/responses', { input: 'slow start' }),
    ];
    await underWay();
    const stopped = stop();
    const [stream, answer] = await Promise.all(both);
    expect(await stream?.text()).toContain('The server is stopping');
    expect([answer?.status, answer?.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await stopped).toBe(0);
  });

  test('a stream of chat completions', async () => {
    const response = await post('/chat/completions', {
      messages: [{ role: 'user', content: 'slow words' }],
      stream: true,
    });
    const [text, code] = await Promise.all([response.text(), stop()]);
    expect([text.includes('"service_unavailable"'), code]).toEqual([true, 0]);
  });

  test('a background response, which the next start takes up', async () => {
    const { id } = (await (await post('/responses', { input: 'slow start', background: true })).json()) as {
      id: string;
    };
    await underWay();
    expect(await stop()).toBe(0);
    expect(id).toMatch(/^resp_/);
  });
});

test('what is no request is answered in the envelope', async () => {
  const socket = connect(Number(new URL(base).port), '127.0.0.1');
  socket.end('nonsense\r\n\r\n');
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  expect(answer).toMatch(/x-request-id: [0-9a-f]{32}/);
  expect(answer).toContain('"code":"invalid_parameter"');
});
