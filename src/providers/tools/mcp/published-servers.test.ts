import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { notFound } from '../../../errors.ts';
import { calls, finish, says, scriptedModel, type Turn } from '../../../families/testing/scripted-model.ts';
import { wholeApp } from '../../../families/testing/whole-app.ts';
import { createOutbound } from '../../outbound/create-outbound.ts';
import { mcpTool } from './mcp-tool.ts';
import { sessionPool } from './session-pool.ts';

const require = createRequire(import.meta.url);
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });

/** Starts a published server as its users do, and waits until it listens. */
async function published(script: string, args: string[]): Promise<string> {
  const port = await freePort();
  const child: ChildProcess = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  closers.push(() => {
    child.kill('SIGKILL');
  });
  await new Promise<void>((resolve, reject) => {
    let said = '';
    child.stderr?.on('data', (chunk) => {
      said += chunk;
      if (/running on|listening on/.test(said)) resolve();
    });
    child.once('exit', () => reject(new Error(said)));
  });
  return `http://localhost:${port}`;
}

async function respond(server_url: string, ...turns: Turn[]) {
  const model = scriptedModel(...turns, [...says('Done.'), finish()]);
  const connections = {
    async get(_: string, name: string, target: string): Promise<never> {
      throw notFound('connection', name, target);
    },
  };
  const outbound = createOutbound({ allowLoopback: true, allow: [] });
  const app = await wholeApp(
    { 'my-model': model.provider },
    { tools: [mcpTool({ outbound, connections }, sessionPool(outbound))] },
  );
  closers.push(app.close);
  const { json } = await app.call('POST', '/openai/v1/responses', {
    model: 'my-model',
    input: 'Go.',
    tools: [{ type: 'mcp', server_label: 'published', server_url, require_approval: 'never' }],
  });
  return { output: json.output as Record<string, unknown>[], offered: model.requests[0]?.tools ?? [] };
}

const call = (name: string, given: object): Turn => [
  ...calls('call_x', name, JSON.stringify(given)),
  finish('tool_calls'),
];

const everything = join(
  dirname(require.resolve('@modelcontextprotocol/server-everything/package.json')),
  'dist/index.js',
);

test.each([
  ['streamableHttp', '/mcp'],
  ['sse', '/sse'],
])(
  'server-everything over %s',
  async (transport, path) => {
    const url = await published(everything, [transport]);
    const { output, offered } = await respond(
      url + path,
      call('echo', { message: 'hello' }),
      call('get-sum', { a: 2, b: 40 }),
      call('get-tiny-image', {}),
      call('get-structured-content', { location: 'Chicago' }),
      call('get-sum', { a: 'two' }),
    );
    expect(offered.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['echo', 'get-sum', 'get-tiny-image', 'get-structured-content']),
    );
    expect(output).toMatchObject([
      { type: 'mcp_list_tools', error: null },
      { name: 'echo', output: 'Echo: hello', status: 'completed' },
      { name: 'get-sum', output: expect.stringContaining('42') },
      { name: 'get-tiny-image', output: expect.stringMatching(/\[image\/png, \d+ bytes\]/) },
      { name: 'get-structured-content', output: expect.stringContaining('temperature') },
      { name: 'get-sum', status: 'failed', error: { message: expect.stringContaining('expected number') } },
      { type: 'message' },
    ]);
  },
  30_000,
);

test('mcp-hello-world, a server of the older kind with an older SDK', async () => {
  const script = join(dirname(require.resolve('mcp-hello-world/package.json')), 'build/http.js');
  const url = await published(script, []);
  const { output } = await respond(`${url}/sse`, call('echo', { message: 'hello' }));
  expect(output).toMatchObject([
    { type: 'mcp_list_tools', tools: [{ name: 'echo' }, { name: 'debug' }, { name: 'add' }] },
    { name: 'echo', output: 'You said: hello', status: 'completed' },
    { type: 'message' },
  ]);
}, 30_000);
