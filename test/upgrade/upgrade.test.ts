import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.ts';
import { type RunningServer, startServer } from '../../src/server.ts';
import { type Call, callTo } from './population.ts';

interface Answer {
  method: string;
  path: string;
  status: number;
  body: unknown;
}

const here = new URL('.', import.meta.url);
const json = (name: string, file: string) =>
  JSON.parse(readFileSync(new URL(`${name}/${file}`, here), 'utf8'));

/** Each folder is a data directory as an earlier version left it; `scripts/dump-data.ts` has written it. */
const versions = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

describe.each(versions)('data of version %s', (name) => {
  let directory: string;
  let server: RunningServer | undefined;
  let call: Call;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'bloomery-upgrade-'));
    const database = new DatabaseSync(join(directory, 'bloomery.db'));
    database.exec(readFileSync(new URL(`${name}/bloomery.sql`, here), 'utf8'));
    database.close();
    for (const [path, content] of Object.entries(json(name, 'files.json') as Record<string, string>)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true, mode: 0o700 });
      writeFileSync(join(directory, path), Buffer.from(content, 'base64'), { mode: 0o600 });
    }
    const config = loadConfig({ file: null, environment: {} });
    server = await startServer({
      port: 0,
      host: '127.0.0.1',
      dataDirectory: directory,
      config: { ...config, limits: { ...config.limits, eventLogDays: 36_500 } },
      apiKey: 'upgrade-key',
      logLevel: 'silent',
    });
    call = callTo(server.port, 'upgrade-key');
  });
  afterAll(async () => {
    await server?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test.each(json(name, 'answers.json') as Answer[])(
    '$method $path answers what it did, and maybe more',
    async ({ method, path, status, body }) => {
      const answer = await call(method, path);
      expect(answer.status).toBe(status);
      if (typeof body === 'string' && body.startsWith('event: ')) {
        expect(eventsOf(answer.body as string)).toMatchObject(eventsOf(body));
      } else {
        expect(answer.body).toMatchObject(body as object);
      }
    },
  );

  test('work goes on: the conversation takes another turn, the agent another version', async () => {
    const { path } = (json(name, 'answers.json') as Answer[]).find((one) =>
      one.path.includes('/conversations/'),
    ) as Answer;
    const conversation = path.split('/').at(-1);
    const turn = await call('POST', '/openai/v1/responses', {
      model: 'builtin',
      conversation,
      input: 'And then?',
    });
    expect(turn).toMatchObject({
      status: 200,
      body: { status: 'completed', conversation: { id: conversation } },
    });
    const definition = { kind: 'prompt', model: 'builtin' };
    const version = await call('POST', '/agents/guide/versions?api-version=v1', { definition });
    expect(version).toMatchObject({ status: 200, body: { version: '3' } });
  });
});

const eventsOf = (stream: string): unknown[] =>
  stream.split('\n').flatMap((line) => (line.startsWith('data: {') ? [JSON.parse(line.slice(6))] : []));
