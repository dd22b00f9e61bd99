import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

const main = new URL('../../src/main.ts', import.meta.url).pathname;
let directory: string;
let started: ChildProcess[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  started = [];
});
afterEach(async () => {
  for (const child of started.filter(
    ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
  )) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  rmSync(directory, { recursive: true, force: true });
});

function launch(...args: string[]) {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr }));
  const printed = async (pattern: RegExp): Promise<string> => {
    while (!pattern.test(stdout)) {
      const more = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
      if (!more && !pattern.test(stdout))
        throw new Error(`It ended without printing ${pattern}: ${stdout}${stderr}`);
    }
    return stdout;
  };
  return { child, ended, printed };
}

const run = (...args: string[]) => launch(...args).ended;

interface Ready {
  endpoint: string;
  apiKey: string;
  caFile: string;
  dataDir: string;
  pid: number;
}

async function serve(...args: string[]) {
  const server = launch('serve', '--json', '--port', '0', ...args);
  const ready = JSON.parse(await server.printed(/\n/)) as Ready;
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    server.child.kill(signal);
    return server.ended;
  };
  return { ...server, ready, stop };
}

const statusOf = ({ endpoint, caFile }: Ready): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const request = get(
      `${endpoint}/agents?api-version=v1`,
      { ca: readFileSync(caFile), agent: false },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode));
      },
    );
    request.on('error', reject);
  });

describe('serve', () => {
  test('prints one line of JSON, answers over TLS and stops in good order', async () => {
    const { ready, child, stop } = await serve();
    expect(Object.keys(ready).sort()).toEqual(['apiKey', 'caFile', 'dataDir', 'endpoint', 'pid']);
    expect(ready.endpoint).toMatch(/^https:\/\/[^/]+:\d+\/api\/projects\/default$/);
    expect(ready.apiKey).toMatch(/^blm_/);
    expect([ready.pid, isAbsolute(ready.caFile), isAbsolute(ready.dataDir)]).toEqual([child.pid, true, true]);
    expect(await statusOf(ready)).toBe(401);
    expect(statSync(join(ready.dataDir, 'run.json')).mode & 0o777).toBe(0o600);
    const { code, stdout } = await stop();
    expect([code, stdout.trim().split('\n').length]).toEqual([0, 1]);
    expect(existsSync(join(ready.dataDir, 'run.json'))).toBe(false);
  });

  test('prints a banner for people', async () => {
    const { child, ended, printed } = launch('serve', '--port', '0', '--project', 'lab');
    const text = await printed(/exec -- python/);
    expect(text).toMatch(/Project endpoint +https:\/\/\S+\/api\/projects\/lab\n/);
    expect(text).toMatch(/API key +blm_/);
    expect(text).toMatch(/Deployments +.*builtin\n/);
    expect(text).toMatch(/eval "\$\(.* env\)"/);
    // As when npm passes on the Ctrl-C that the terminal has already sent.
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect((await ended).code).toBe(0);
  });

  test('keeps its key over a restart, also after being killed or losing the owner’s copy', async () => {
    const first = await serve();
    await first.stop('SIGKILL');
    const second = await serve();
    expect(second.ready.apiKey).toBe(first.ready.apiKey);
    await second.stop();
    unlinkSync(join(first.ready.dataDir, 'credentials.json'));
    const third = await serve();
    expect(third.ready.apiKey).toBeNull();
    const { stdout, stderr } = await run('env', '--format', 'json');
    expect(JSON.parse(stdout)).not.toHaveProperty('OPENAI_API_KEY');
    expect(stderr).toContain('holds no API key');
  });

  test('refuses a port or a data directory in use, and a bad configuration', async () => {
    const { ready } = await serve();
    const { port } = new URL(ready.endpoint);
    const samePort = await run('serve', '--port', port, '--data', 'other');
    expect([samePort.code, samePort.stderr]).toEqual([4, expect.stringContaining(`Port ${port}`)]);
    const sameData = await run('serve', '--port', '0');
    expect([sameData.code, sameData.stderr]).toEqual([5, expect.stringContaining(`process id ${ready.pid}`)]);
    writeFileSync(join(directory, 'bloomery.yaml'), 'nonsense: 1\n');
    const badConfig = await run('serve', '--port', '0', '--data', 'other');
    expect([badConfig.code, badConfig.stderr]).toEqual([3, expect.stringContaining('bloomery.yaml:1:1')]);
    expect((await run('serve', '--prot')).code).toBe(2);
  });
});

describe('env', () => {
  test('prints what leads to the running server, and fails where there is none', async () => {
    const none = await run('env');
    expect([none.code, none.stdout, none.stderr]).toEqual([6, '', expect.stringContaining('No server runs')]);
    const { ready } = await serve('--api-key', 'my-key');
    const { stdout } = await run('env');
    const shell = spawnSync('sh', ['-c', `${stdout}\nenv`], { encoding: 'utf8', env: {} });
    expect(shell.stdout).toContain(`FOUNDRY_PROJECT_ENDPOINT=${ready.endpoint}\n`);
    expect(shell.stdout).toContain('OPENAI_API_KEY=my-key\n');
    expect((await run('env', '--deployment', 'builtin', '--format', 'dotenv')).stdout).toContain(
      'FOUNDRY_MODEL_NAME=builtin\n',
    );
    expect((await run('env', '--deployment', 'none')).code).toBe(2);
  });
});

describe('exec', () => {
  const node = (script: string) => ['exec', '--', process.execPath, '-e', script];

  test('runs a program against a server of its own and passes its exit code on', async () => {
    const script = `
      const url = process.env.FOUNDRY_PROJECT_ENDPOINT + '/agents?api-version=v1';
      const { status } = await fetch(url);
      console.log(JSON.stringify({ status, ca: process.env.NODE_EXTRA_CA_CERTS, model: process.env.FOUNDRY_MODEL_NAME }));
      process.exitCode = 42;`;
    const { code, stdout, stderr } = await run(...node(script));
    expect([code, stderr]).toEqual([42, '']);
    const { status, ca, model } = JSON.parse(stdout);
    expect([status, model]).toEqual([401, 'builtin']);
    expect([existsSync(ca), existsSync(join(ca, '..', '..'))]).toEqual([false, false]);
    expect(existsSync(join(directory, '.bloomery'))).toBe(false);
  });

  test('says what cannot be run', async () => {
    expect((await run('exec', '--', './no-such-program')).code).toBe(127);
    writeFileSync(join(directory, 'text'), '');
    expect((await run('exec', '--', './text')).code).toBe(126);
    expect((await run('exec')).code).toBe(2);
    expect((await run('exec', '--config', 'none.yaml', '--', 'true')).code).toBe(3);
  });

  test('says where a fault plan is wrong', async () => {
    writeFileSync(
      join(directory, 'plan.yaml'),
      'faults:\n  - name: busy\n    fault: status\n    status: 99\n',
    );
    const { code, stderr } = await run('exec', '--faults', 'plan.yaml', '--', 'true');
    expect([code, stderr]).toEqual([3, expect.stringContaining('plan.yaml:4:13: faults[0].status: must be')]);
  });

  test('reports the end by a signal as shells do', async () => {
    expect((await run('exec', '--', 'sh', '-c', 'kill -KILL $$')).code).toBe(137);
  });

  test('passes signals on and cleans up after', async () => {
    const { child, ended, printed } = launch(
      ...node('console.log(process.env.SSL_CERT_FILE); setInterval(() => {}, 1000)'),
    );
    const bundle = (await printed(/\n/)).trim();
    expect(existsSync(bundle)).toBe(true);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
    expect(existsSync(bundle)).toBe(false);
  });

  test('lets the program decide what a signal means', async () => {
    const script =
      "process.on('SIGINT', () => process.exit(7)); console.log('ready'); setInterval(() => {}, 1000)";
    const { child, ended, printed } = launch(...node(script));
    await printed(/ready/);
    child.kill('SIGINT');
    expect((await ended).code).toBe(7);
  });
});

describe('doctor', () => {
  test('finds a running server well, and says what is not', async () => {
    const { ready } = await serve();
    const well = JSON.parse((await run('doctor', '--json')).stdout);
    expect(well).toMatchObject({ ok: true });
    expect(JSON.stringify(well)).not.toContain(ready.apiKey);
    writeFileSync(join(ready.dataDir, 'trust', 'server.pem'), 'garbage');
    const ill = await run('doctor');
    expect([ill.code, ill.stdout]).toEqual([
      1,
      expect.stringMatching(/problem +certificates[\s\S]*Fix: Restart/),
    ]);
  });
});
