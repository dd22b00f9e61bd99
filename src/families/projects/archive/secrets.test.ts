import { afterEach, expect, test } from 'vitest';
import { testKey } from '../../testing/test-app.ts';
import { type ProjectApp, projectApp } from '../testing/project-app.ts';

const opened: ProjectApp[] = [];
afterEach(async () => {
  for (const app of opened.splice(0)) await app.close();
});

const under = 'a passphrase of some length';
const tool = {
  ...{ type: 'mcp', server_label: 'a', server_url: 'https://a.example/mcp' },
  headers: { 'x-key': 'hush-header' },
};
const agent = { definition: { kind: 'prompt', model: 'my-model', tools: [tool] } };
const connection = {
  ...{ type: 'ApiKey', target: 'https://search.example' },
  credentials: { type: 'ApiKey', key: 'hush-key' },
};

async function start() {
  const app = await projectApp();
  opened.push(app);
  const { origin } = new URL(await app.listen());
  const headers = { 'api-key': testKey };
  return {
    app,
    async archive(passphrase = under): Promise<Buffer> {
      const reply = await fetch(`${origin}/admin/projects/default:exportWithSecrets`, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify({ passphrase }),
      });
      expect(reply.status).toBe(200);
      return Buffer.from(await reply.arrayBuffer());
    },
    async take(bytes: Buffer, passphrase: string | null) {
      const form = new FormData();
      if (passphrase !== null) form.set('passphrase', passphrase);
      form.set('file', new File([Uint8Array.from(bytes)], 'a.tar'));
      const url = `${origin}/admin/projects/moved:import`;
      const reply = await fetch(url, { method: 'POST', headers, body: form });
      const { error } = (await reply.json()) as { error?: { target: string; message: string } };
      return { status: reply.status, error };
    },
  };
}

test('secrets go from one server to another under a passphrase, and to nobody without it', async () => {
  const one = await start();
  const there = one.app.in('default');
  await there('PUT', '/connections/search', connection);
  await there('PUT', '/connections/open', { ...connection, credentials: { type: 'None' } });
  await there('POST', '/agents/helper/versions', agent);
  await there('POST', '/agents/plain/versions', { definition: { kind: 'prompt', model: 'my-model' } });
  const bytes = await one.archive();
  expect([bytes.includes('search.example'), bytes.includes('hush-')]).toEqual([true, false]);

  const two = await start();
  for (const passphrase of [null, 'another one of some length']) {
    const { status, error } = await two.take(bytes, passphrase);
    expect([status, error?.target]).toEqual([400, 'passphrase']);
  }
  expect((await two.app.admin('GET', '/projects/moved')).status).toBe(404);
  expect((await two.take(bytes, under)).status).toBe(201);
  const moved = two.app.in('moved');
  const get = async (name: string) =>
    (await moved('POST', `/connections/${name}/getConnectionWithCredentials`)).json.credentials;
  expect(await get('search')).toEqual(connection.credentials);
  expect(await get('open')).toEqual({ type: 'None' });
  const { definition } = (await moved('GET', '/agents/helper/versions/1')).json as unknown as typeof agent;
  expect(definition.tools).toEqual([tool]);
  expect((await moved('GET', '/agents/plain/versions/1')).status).toBe(200);
});

test('an archive with secrets that somebody changed without the passphrase is refused', async () => {
  const { app, archive, take } = await start();
  await app.in('default')('PUT', '/connections/search', connection);
  const bytes = await archive();
  // As somebody would who makes the checksums fit.
  const { createHash } = await import('node:crypto');
  const before = bytes.toString('latin1');
  const rows = /\{"name":"search".*\n/.exec(before)?.[0] ?? '';
  const changedRows = rows.replace('search.example', 'attack.example');
  const sha = (text: string) => createHash('sha256').update(Buffer.from(text, 'latin1')).digest('hex');
  const after = before.replace(rows, changedRows).replace(sha(rows), sha(changedRows));
  expect(after).toHaveLength(before.length);
  expect(after).toContain(sha(changedRows));
  const { status, error } = await take(Buffer.from(after, 'latin1'), under);
  expect([status, error?.message]).toEqual([400, expect.stringContaining('without the passphrase')]);
});

test('a passphrase has to have some length, and is never told again', async () => {
  const { app } = await start();
  const { status, text } = await app.admin('POST', '/projects/default:exportWithSecrets', {
    passphrase: 'short',
  });
  expect([status, text.includes("'passphrase'"), text.includes('short')]).toEqual([400, true, false]);
});
