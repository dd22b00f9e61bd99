/** What the official clients do is recorded, and done again with nothing but the recording. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const execute = promisify(execFile);
const main = join(import.meta.dirname, '../../../src/main.ts');
const client = join(import.meta.dirname, 'client.ts');

let directory: string;
let server: ChildProcess;
let ready: { endpoint: string; apiKey: string; caFile: string };
let clean: NodeJS.ProcessEnv;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-recordings-'));
  const { PATH, HOME } = process.env;
  clean = { PATH, HOME };
  writeFileSync(join(directory, 'bloomery.yaml'), 'discovery: false\n');
  server = spawn(process.execPath, [main, 'serve', '--json', '--port', '0', '--log-level', 'error'], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(server.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  ready = JSON.parse(String(line));
}, 60_000);
afterAll(async () => {
  await stop();
  rmSync(directory, { recursive: true, force: true });
});

async function stop(): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  server.kill('SIGKILL');
  await once(server, 'exit');
}

const bloomery = (args: string[], env: NodeJS.ProcessEnv) =>
  execute(process.execPath, [main, ...args], { cwd: directory, env, maxBuffer: 16_777_216 });

test('agents, conversations, streams with tool calls, files and pages', { timeout: 60_000 }, async () => {
  const run = JSON.parse(readFileSync(join(directory, '.bloomery/run.json'), 'utf8'));
  const environment = {
    ...clean,
    OPENAI_API_KEY: ready.apiKey,
    IDENTITY_ENDPOINT: run.identityEndpoint,
    IDENTITY_HEADER: run.identityHeader,
    AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    NODE_EXTRA_CA_CERTS: ready.caFile,
  };
  const program = ['--', process.execPath, client];
  const record = ['record', '--upstream', ready.endpoint, '--out', 'a.jsonl', '--port', '0', ...program];
  const live = await bloomery(record, environment);
  expect(live.stderr).toMatch(/^bloomery: \d+ exchanges are in a\.jsonl\.\n$/);
  const seen = JSON.parse(live.stdout) as unknown[];
  expect(live.stdout).toContain('response.function_call_arguments.delta');
  expect(live.stdout).toMatch(/response\.output_text\.done.*3 degrees below/);

  const file = join(directory, 'a.jsonl');
  const recorded = readFileSync(file, 'utf8');
  expect(recorded.includes(ready.apiKey)).toBe(false);
  expect(recorded).toMatch(/bloomeryblobs.*sig=__scrubbed__/);
  expect(recorded).not.toMatch(/sig=[^_]/);
  expect(recorded).not.toMatch(/eyJ[\w-]+\.eyJ/);
  expect(recorded).not.toContain(new URL(ready.endpoint).host);
  expect(statSync(file).mode & 0o777).toBe(0o600);

  await stop();
  const again = await bloomery(['replay', 'a.jsonl', '--port', '0', ...program, '--miss'], clean);
  const replayed = JSON.parse(again.stdout) as unknown[];
  expect(replayed.slice(0, seen.length)).toEqual(seen);
  expect(replayed.at(-1)).toBe(404);
  expect(again.stderr).toMatch(
    /POST \S+\/responses: 404 No recorded request is the same\. The nearest is number \d+, POST/,
  );
  expect(again.stderr).toContain('asked "Nobody has asked this."');
  expect(again.stderr).toMatch(/bloomery: 1 request was not in the recording; 0 of its \d+ exchanges/);
});
