import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseArguments, UsageError } from './arguments.ts';
import { recordingEnvironment } from './client-environment.ts';
import { drift } from './drift.ts';
import { describeFailure } from './failure.ts';
import { record } from './record.ts';
import { replay } from './replay.ts';
import { commandWorld } from './testing/command-world.ts';

const world = commandWorld();

function recording(name: string, body: object, version = 1): string {
  const file = join(world.directory, name);
  const exchange = {
    ...{ number: 1, at: 1, took: 1, request: { method: 'GET', path: '/v1/x' } },
    answer: { status: 200, headers: [], chunks: [[0, JSON.stringify(body)]], end: 'whole' },
  };
  const heading = { bloomery_recording: version, base: '/v1', recordedAt: '2026-01-01T00:00:00Z' };
  writeFileSync(file, `${JSON.stringify(heading)}\n${JSON.stringify(exchange)}\n`);
  return file;
}

describe('drift', () => {
  const compare = (a: object, b: object, ...options: string[]) =>
    drift(parseArguments('drift', [recording('a', a), recording('b', b), ...options]));

  test('ends with 1 for what breaks clients only', async () => {
    expect(await compare({ a: 1 }, { a: 1 })).toBe(0);
    expect(world.said).toBe('The answers do not differ.\n');
    expect(await compare({ a: 1 }, { a: 1, b: 2 })).toBe(0);
    expect(await compare({ a: 1 }, { b: 2 })).toBe(1);
    expect(world.said.split('\n').slice(-4, -1)).toEqual([
      'BREAKING  GET /x · 200.a: removed. Rule: Removing fields, routes, or operations.',
      'additive  GET /x · 200.b: new. Rule: Adding optional fields.',
      '2 differences, 1 of them breaking.',
    ]);
  });

  test('tells operations that only one recording calls', async () => {
    const [a, b] = [recording('a', {}), recording('b', {})];
    writeFileSync(b, readFileSync(b, 'utf8').replace('/v1/x', '/v1/y'));
    expect(await drift(parseArguments('drift', [a, b]))).toBe(0);
    expect(world.said.trimEnd().split('\n')).toEqual([
      'unpaired  GET /x: 1 in A, none in B',
      'unpaired  GET /y: none in A, 1 in B',
      'The answers that could be compared do not differ.',
      'Operations that only one calls, and that were not compared: 1 in A, 1 in B.',
    ]);
  });

  test('prints JSON for programs', async () => {
    await compare({ a: 1 }, { a: 'x' }, '--json');
    expect(JSON.parse(world.said)).toEqual({
      breaking: true,
      differences: [{ rule: 'retyped', at: 'GET /x · 200.a', what: 'number → string', breaking: true }],
      unpaired: [],
    });
  });
});

test('a recording of a newer format is refused in words', async () => {
  const file = recording('new', {}, 2);
  const error = await replay(parseArguments('replay', [file])).catch((thrown: unknown) => thrown);
  expect(describeFailure(error)).toEqual({
    exitCode: 1,
    message: expect.stringMatching(/format 2, made by a newer Bloomery.*Update Bloomery/),
  });
});

test.each([
  [[], /--upstream URL/],
  [['--upstream', 'ftp://x', '--out', 'f'], /must be an address such as/],
  [['--upstream', 'https://user:secret@x', '--out', 'f'], /no user and password/],
  [['--upstream', 'https://x/?a=1', '--out', 'f'], /without \? and #/],
  [['--upstream', 'https://x'], /--out FILE/],
  [['--upstream', 'https://x', '--out', 'f', '--key-env', 'A', '--token-env', 'B'], /not both/],
])('record refuses %j', async (words, message) => {
  const error = await record(parseArguments('record', words)).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  expect((error as Error).message).toMatch(message);
});

test('replay and drift ask for their recordings', async () => {
  await expect(replay(parseArguments('replay', []))).rejects.toThrow(/Which recording/);
  await expect(drift(parseArguments('drift', ['a']))).rejects.toThrow(/Which recordings/);
});

test('the variables are those of a project, or of a model server', () => {
  const trust = { caFile: 'ca', caBundleFile: 'bundle' };
  const project = recordingEnvironment({
    endpoint: 'https://127.0.0.1:1/api/projects/p',
    ...trust,
    signIn: null,
  });
  expect(project).toMatchObject({
    FOUNDRY_PROJECT_ENDPOINT: 'https://127.0.0.1:1/api/projects/p',
    OPENAI_BASE_URL: 'https://127.0.0.1:1/api/projects/p/openai/v1',
    NODE_EXTRA_CA_CERTS: 'ca',
  });
  expect(project).not.toHaveProperty('OPENAI_API_KEY');
  const signIn = { apiKey: 'key', identityEndpoint: 'there', identityHeader: 'header' };
  const models = recordingEnvironment({ endpoint: 'https://127.0.0.1:1/v1', ...trust, signIn });
  expect(models).toMatchObject({ OPENAI_BASE_URL: 'https://127.0.0.1:1/v1', OPENAI_API_KEY: 'key' });
  expect(models).not.toHaveProperty('FOUNDRY_PROJECT_ENDPOINT');
});
