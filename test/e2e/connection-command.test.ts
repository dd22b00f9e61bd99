import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

const main = new URL('../../src/main.ts', import.meta.url).pathname;
const secret = 'sk-very-secret';

let directory: string;
let server: ChildProcess;
let log = '';
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  writeFileSync(
    join(directory, 'bloomery.yaml'),
    'projects: [default, other]\ncreateProjectsOnUse: false\nconnections: [{ name: fixed, project: default, type: OpenAPI, target: here }]\n',
  );
  server = spawn(process.execPath, [main, 'serve', '--json', '--port', '0', '--log-level', 'trace'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  server.stderr?.setEncoding('utf8').on('data', (chunk) => {
    log += chunk;
  });
  if (server.stdout === null) throw new Error('The server has no stdout.');
  await once(server.stdout, 'data');
}, 30_000);
afterAll(async () => {
  server.kill('SIGTERM');
  await once(server, 'close');
  expect(log).toContain('/connections/search');
  expect(log).not.toContain(secret);
  rmSync(directory, { recursive: true, force: true });
});

async function connection(words: string, { input = '', key = secret } = {}) {
  const child = spawn(process.execPath, [main, 'connection', ...words.split(' ').filter(Boolean)], {
    cwd: directory,
    env: { ...process.env, MY_KEY: key },
  });
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  expect(stdout + stderr).not.toContain(secret);
  return { code, stdout, stderr };
}

test('connections are set, listed and deleted, by project', { timeout: 60_000 }, async () => {
  const set =
    'set search --type CognitiveSearch --target https://s --default --metadata a=1,b=x=y --key-env MY_KEY';
  expect(await connection(set)).toEqual({ code: 0, stdout: "Connection 'search' is made.\n", stderr: '' });
  const again = JSON.parse((await connection(`${set} --json`)).stdout);
  expect(again).toMatchObject({
    name: 'search',
    isDefault: true,
    metadata: { a: '1', b: 'x=y' },
    credentials: { type: 'ApiKey' },
  });
  const input = JSON.stringify({ type: 'CustomKeys', 'x-key': secret });
  await connection('set mcp --project other --type CustomKeys --target t --credentials -', { input });

  expect((await connection('list')).stdout).toBe(
    'fixed   OpenAPI                   here\nsearch  CognitiveSearch  default  https://s\n',
  );
  const { stdout } = await connection('list --project other --json');
  expect(JSON.parse(stdout)).toMatchObject([{ name: 'mcp', credentials: { type: 'CustomKeys' } }]);

  expect((await connection('delete search')).stdout).toBe("Connection 'search' is deleted.\n");
  expect(await connection('delete search')).toMatchObject({
    code: 1,
    stderr: "bloomery: No connection 'search' exists in this project.\n",
  });
});

test.each([
  ['', 2, 'Say what to do: list, set or delete.'],
  ['lst', 2, "not 'lst'"],
  ['delete', 2, 'Which connection?'],
  ['list a', 2, "`list` takes no name 'a'."],
  ['list --default', 2, '--default is for `set`, not for `list`.'],
  ['set a b --type OpenAPI', 2, "takes no argument 'b'"],
  ['set a --type OpenAPI', 2, 'set needs --target ADDRESS'],
  ['set a --type OpenAPI --target t --key-env NOTHING', 1, 'NOTHING holds nothing.'],
  ['set a --type OpenAPI --target t --credentials -', 1, 'stdin does not hold JSON.'],
  ['set a --type OpenAPI --target t --credentials nowhere', 1, 'nowhere cannot be read'],
  ['set a --type Fax --target t', 1, "Invalid value for 'type'"],
  ['set fixed --type OpenAPI --target t', 1, "comes from the server's configuration"],
  ['list --project nowhere', 1, "No project 'nowhere' is served here."],
  ['list --data elsewhere', 6, 'No server runs on the data directory'],
])('%j ends with %i and says why', { timeout: 30_000 }, async (words, code, message) => {
  const ended = await connection(words, { input: secret });
  expect([ended.code, ended.stdout]).toEqual([code, '']);
  expect(ended.stderr).toContain(message);
});
