import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { testKey } from '../testing/test-app.ts';
import { type ProjectApp, projectApp } from './testing/project-app.ts';

let app: ProjectApp;
afterEach(() => app.close());

const tools = [
  {
    type: 'mcp',
    server_label: 'a',
    server_url: 'https://a.example/mcp',
    headers: { 'x-key': 'hush-headers' },
  },
  { type: 'function', name: 'plain', parameters: {} },
  { type: 'mcp', server_label: 'b', server_url: 'https://b.example/mcp', authorization: 'hush-token' },
];
const bare = tools.map(({ headers: _, authorization: __, ...tool }) => tool);
const definition = { kind: 'prompt', model: 'my-model', tools };
const toolsIn = async (project: string) => {
  const { json } = await app.in(project)('GET', '/agents/helper/versions/1');
  return (json as unknown as { definition: { tools: unknown } }).definition.tools;
};

test('secrets of the tools of agents are sealed on disk, kept by a fork, and in no archive', async () => {
  app = await projectApp();
  expect((await app.in('default')('POST', '/agents/helper/versions', { definition })).status).toBe(200);
  expect(await toolsIn('default')).toEqual(tools);

  const stored = readdirSync(app.directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name)));
  expect(stored.some((bytes) => bytes.includes('https://a.example/mcp'))).toBe(true);
  expect(stored.some((bytes) => bytes.includes('hush-'))).toBe(false);

  await app.admin('POST', '/projects/default:fork', { name: 'twin' });
  expect(await toolsIn('twin')).toEqual(tools);

  const headers = { 'api-key': testKey };
  const { origin } = new URL(await app.listen());
  const archive = await fetch(`${origin}/admin/projects/default:export`, { headers });
  const bytes = Buffer.from(await archive.arrayBuffer());
  expect([bytes.includes('https://a.example/mcp'), bytes.includes('hush-')]).toEqual([true, false]);
  const form = new FormData();
  form.set('file', new File([Uint8Array.from(bytes)], 'a.tar'));
  const taken = await fetch(`${origin}/admin/projects/moved:import`, { method: 'POST', headers, body: form });
  expect(taken.status).toBe(201);
  expect(await toolsIn('moved')).toEqual(bare);
});
