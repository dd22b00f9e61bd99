import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

const main = new URL('../../src/main.ts', import.meta.url).pathname;

let directory: string;
let server: ChildProcess;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  server = spawn(process.execPath, [main, 'serve', '--json', '--port', '0', '--log-level', 'silent'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (server.stdout === null) throw new Error('The server has no stdout.');
  await once(server.stdout, 'data');
}, 60_000);
afterAll(async () => {
  server.kill('SIGTERM');
  await once(server, 'close');
  rmSync(directory, { recursive: true, force: true });
});

async function run(words: string, variables: Record<string, string> = {}) {
  const child = spawn(process.execPath, [main, ...words.split(' ')], {
    ...{ cwd: directory, env: { ...process.env, ...variables } },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}
const project = (words: string, variables?: Record<string, string>) => run(`project ${words}`, variables);

test('projects are made, forked, reset, moved and deleted', { timeout: 120_000 }, async () => {
  expect((await project('create one')).stdout).toBe("Project 'one' is made.\n");
  await run('connection set a --project one --type OpenAPI --target https://a.example');
  expect((await project('fork one two')).stdout).toBe("Project 'two' has all that 'one' has.\n");
  await run('connection delete a --project two');
  expect((await project('reset two --yes')).stdout).toBe("Project 'two' has what 'one' has.\n");
  expect((await run('connection list --project two')).stdout).toContain('https://a.example');
  expect((await project('export two --file two.tar')).stdout).toMatch(/^Project 'two' is in two\.tar \(/);
  expect((await project('delete two --yes')).stdout).toBe("Project 'two' is deleted.\n");
  expect((await project('import three --file two.tar')).stdout).toBe("Project 'three' is made of two.tar.\n");
  expect((await run('connection list --project three')).stdout).toContain('https://a.example');
  const listed = JSON.parse((await project('list --json')).stdout) as { name: string; origin: string }[];
  expect(listed.map(({ name, origin }) => [name, origin])).toEqual([
    ['default', 'configuration'],
    ['one', 'created'],
    ['three', 'import'],
  ]);
});

test('secrets go along under a passphrase of the environment', { timeout: 60_000 }, async () => {
  const variables = { BLOOMERY_PASSPHRASE: 'a passphrase of some length', SEARCH_KEY: 'hush' };
  await project('create keeper');
  const set =
    'connection set b --project keeper --type ApiKey --target https://b.example --key-env SEARCH_KEY';
  expect((await run(set, variables)).code).toBe(0);
  const taken = await project('export keeper --with-secrets --file keeper.tar', variables);
  expect([taken.code, taken.stdout]).toEqual([0, expect.stringContaining('with its secrets')]);
  const without = await project('import kept --file keeper.tar');
  expect([without.code, without.stderr]).toEqual([2, expect.stringContaining('BLOOMERY_PASSPHRASE')]);
  expect((await project('import kept --file keeper.tar', variables)).code).toBe(0);
});

test.each([
  ['list --with-secrets', 2, '--with-secrets is for `export`'],
  ['export default --with-secrets', 2, 'put it into BLOOMERY_PASSPHRASE'],
  ['', 2, 'Say what to do: list'],
  ['remove a', 2, "not 'remove'"],
  ['fork a', 2, 'It is: fork ORIGIN NAME'],
  ['delete default', 2, 'Say --yes'],
  ['list --to empty', 2, '--to is for `reset`'],
  ['import a', 2, 'Which archive? --file FILE'],
  ['import a --file nowhere.tar', 1, 'nowhere.tar cannot be read'],
  ['export nowhere', 1, "No project 'nowhere' is served here."],
  ['create _project', 1, "Invalid value for 'name'"],
  ['delete default --yes', 1, "comes from the server's configuration"],
  ['list --data elsewhere', 6, 'No server runs on the data directory'],
])('%j ends with %i and says why', { timeout: 60_000 }, async (words, code, message) => {
  const ended = await project(words);
  expect([ended.code, ended.stdout]).toEqual([code, '']);
  expect(ended.stderr).toContain(message);
});
