import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const main = new URL('../../src/main.ts', import.meta.url).pathname;
const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function run(...words: string[]) {
  const child = spawn(process.execPath, [main, ...words], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  return { code, stdout, stderr };
}

describe('where no server runs', () => {
  test('keys are kept in the data directory', { timeout: 60_000 }, async () => {
    const made = await run(
      ...[
        'key',
        'create',
        'ci',
        '--role',
        'Reader',
        '--project',
        'one',
        '--project',
        'two',
        '--expires',
        '30d',
      ],
      ...['--json', '--data', 'offline'],
    );
    expect(JSON.parse(made.stdout)).toMatchObject({
      key: expect.stringMatching(/^blm_/),
      grants: [
        { role: 'Reader', project: 'one' },
        { role: 'Reader', project: 'two' },
      ],
    });
    const listed = await run('key', 'list', '--data', 'offline');
    expect(listed.stdout).toMatch(/^NAME .*\nci +key_\w+ +Reader in one, Reader in two +20\d\d-/);
    expect(await run('key', 'revoke', 'ci', '--data', 'offline')).toMatchObject({ code: 0 });
    expect((await run('key', 'list', '--data', 'offline')).stdout).toBe('There are no API keys.\n');
  });

  test.each([
    [['key'], 2, 'Say what to do: list, create, rotate, revoke'],
    [['key', 'create'], 2, 'Which key? create NAME'],
    [['key', 'list', 'ci'], 2, 'takes no name'],
    [['key', 'revoke', 'ci', '--grace', '1h'], 2, '--grace is for `rotate`'],
    [['key', 'create', 'ci', '--expires', 'soon'], 2, 'such as 90s, 15m, 1h or 30d'],
    [['key', 'create', 'ci', '--role', 'King'], 1, "There is no role 'King'"],
    [['token', '--data', 'none'], 1, 'There is no data directory'],
    [['token', '--user', 'a', '--app', 'b'], 2, 'not both'],
    [['token', '--lifetime', '25h'], 2, 'up to 24h'],
    [['serve', '--host', '0.0.0.0', '--port', '0'], 3, 'bloomery key create NAME --data'],
  ])('%j is refused', { timeout: 60_000 }, async (words, code, message) => {
    const refused = await run(...words);
    expect([refused.code, refused.stdout]).toEqual([code, '']);
    expect(refused.stderr).toContain(message);
  });
});

describe('with a server', () => {
  let server: ChildProcess;
  beforeAll(async () => {
    writeFileSync(join(directory, 'bloomery.yaml'), 'identity: { users: [{ name: ada }] }\n');
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
  });

  test('its keys are, and the environment follows the owner’s', { timeout: 60_000 }, async () => {
    const { stdout } = await run('key', 'create', 'ci');
    expect(stdout).toMatch(/^API key 'ci' is made. It may be Azure AI User everywhere.*\n\nblm_[\w-]{43}\n$/);
    const { key } = JSON.parse((await run('key', 'rotate', 'default', '--json')).stdout);
    const { FOUNDRY_PROJECT_API_KEY } = JSON.parse((await run('env', '--format', 'json')).stdout);
    expect(FOUNDRY_PROJECT_API_KEY).toBe(key);
    expect(await run('key', 'create', 'ci')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("There is an API key 'ci'"),
    });
  });

  test('tokens are printed for its users', { timeout: 60_000 }, async () => {
    const { stdout } = await run('token', '--user', 'ada', '--lifetime', '15m');
    const claims = JSON.parse(Buffer.from(stdout.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({ idtyp: 'user', preferred_username: 'ada', aud: 'https://ai.azure.com' });
    expect(claims.exp - claims.iat).toBe(900);
    expect(await run('token', '--app', 'ada')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('It has none.'),
    });
  });
});
