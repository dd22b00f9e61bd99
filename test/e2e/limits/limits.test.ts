import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  type PythonEnvironment,
  preparationMilliseconds,
  pythonEnvironment,
} from '../../python-environment.ts';

const run = promisify(execFile);
const here = import.meta.dirname;
const main = join(here, '../../../src/main.ts');

const config = `discovery: false
scenarios: [scenarios.yaml]
deployments:
  - { name: brisk, provider: builtin, limits: { requestsPerMinute: 6 } }
  - { name: slow, provider: builtin, limits: { requestsPerMinute: 1, windowSeconds: 60 } }
  - { name: roomy, provider: builtin, limits: { requestsPerMinute: 600, tokensPerMinute: 100000 } }
rateLimits:
  project: { concurrency: 1 }
`;

let environment: PythonEnvironment;
beforeAll(async () => {
  environment = await pythonEnvironment();
}, preparationMilliseconds);

let directory: string;
let server: ChildProcess;
let origin: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-limits-'));
  writeFileSync(join(directory, 'bloomery.yaml'), config);
  writeFileSync(
    join(directory, 'scenarios.yaml'),
    'scenarios:\n  - when: { input: take your time }\n    reply: { text: late, delay_ms: 2500 }\n',
  );
  server = spawn(
    process.execPath,
    [main, 'serve', '--json', '--port', '0', '--data', 'data', '--log-level', 'error'],
    { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const [line] = await once(server.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  origin = new URL(JSON.parse(String(line)).endpoint).origin.replace('https:', 'http:');
}, 60_000);
afterEach(async () => {
  server.kill('SIGKILL');
  await once(server, 'exit');
  rmSync(directory, { recursive: true, force: true });
});

async function client(script: string): Promise<Record<string, unknown>> {
  const data = join(directory, 'data');
  const told = await run(process.execPath, [main, 'env', '--format', 'json', '--data', data]);
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, PYTHONPYCACHEPREFIX: environment.bytecode, ...JSON.parse(told.stdout) };
  const program = script.endsWith('.py') ? environment.python : process.execPath;
  return JSON.parse((await run(program, [join(here, script)], { env })).stdout);
}

async function refusals(layer: string, unit: string): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  const found = new RegExp(
    `^bloomery_limit_refusals_total\\{layer="${layer}",unit="${unit}"\\} (\\d+)$`,
    'm',
  ).exec(text);
  return Number(found?.[1] ?? 0);
}

test.each(['client.ts', 'client.py'])(
  'the official clients of %s see limits as they are',
  { timeout: 120_000 },
  async (script) => {
    expect(await client(script)).toEqual({
      patient: ['completed', 'completed'],
      impatient: {
        code: 'rate_limit_exceeded',
        param: 'deployments.slow.limits.requestsPerMinute',
        message: expect.stringContaining(
          "Deployment 'slow' takes 1 requests a minute from all projects together",
        ),
        retryAfter: true,
      },
      told: ['requests', 'tokens', 'requests', 'tokens', 'requests', 'tokens'],
      native: { status: 429, code: 'rate_limit_exceeded' },
      listed: true,
    });
    // One of each: whoever was told to wait has not asked again too early.
    expect(await refusals('deployment', 'requests')).toBe(2);
    expect(await refusals('project', 'concurrency')).toBeGreaterThan(1);
  },
);
