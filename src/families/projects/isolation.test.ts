import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededNumbers } from '../../kit/seeded-numbers.ts';
import type { TestReply } from '../testing/test-app.ts';
import {
  bodyCalls,
  cursorCalls,
  type Kind,
  type NamingCall,
  pathCalls,
  type World,
} from './testing/foreign-calls.ts';
import { type ProjectApp, projectApp } from './testing/project-app.ts';

const operations = 10_000;
const refusals = [400, 403, 404];
/** Stands in all that the other project has. */
const marker = 'only-theirs';

let app: ProjectApp;
const worlds: Record<'ours' | 'theirs', World> = { ours: {} as World, theirs: {} as World };
beforeAll(async () => {
  app = await projectApp();
  for (const project of ['ours', 'theirs'] as const) {
    await app.admin('POST', '/projects', { name: project });
    worlds[project] = await furnish(project, project === 'ours' ? 'mine' : marker);
  }
}, 60_000);
afterAll(() => app.close());

async function furnish(project: string, mark: string): Promise<World> {
  const call = app.in(project);
  const make = async (
    path: string,
    body: unknown,
    headers?: Record<string, string>,
    method = 'POST' as 'PUT' | 'PATCH' | 'POST',
  ) => {
    const reply = await call(method, path, body, headers);
    if (reply.status >= 300) throw new Error(`${path}: ${reply.text}`);
    return String(reply.json.id);
  };
  const file = await app.upload(project, `${mark}.txt`, `apple ${mark}`);
  const conversation = await make('/v1/conversations', { items: [{ role: 'user', content: mark }] });
  const items = (await call('GET', `/v1/conversations/${conversation}/items`)).json.data as [{ id: string }];
  const turn = { model: 'my-model', input: mark };
  const vector_store = await make('/v1/vector_stores', { name: mark });
  const batch = await make(`/v1/vector_stores/${vector_store}/file_batches`, { file_ids: [file] });
  await app.filled(project, vector_store);
  const container = await make('/v1/containers', { name: mark });
  const upload = await make('/v1/uploads', {
    ...{ filename: `${mark}.txt`, purpose: 'assistants', bytes: 5, mime_type: 'text/plain' },
  });
  const definition = { kind: 'prompt', model: 'my-model', instructions: mark };
  await make(`/agents/${mark}-agent/versions`, { definition });
  await make(
    `/connections/${mark}-link`,
    { type: 'CognitiveSearch', target: `https://${mark}.example` },
    {},
    'PUT',
  );
  const merged = { 'content-type': 'application/merge-patch+json' };
  const index = { type: 'AzureSearch', connectionName: `${mark}-link`, indexName: mark };
  await make(`/indexes/${mark}-index/versions/1`, index, merged, 'PATCH');
  const store = {
    type: 'AzureBlob',
    target: 'https://acc.blob.core.windows.net/',
    credentials: { type: 'AAD' },
  };
  await make(`/connections/${mark}-store`, store, {}, 'PUT');
  const dataUri = 'https://acc.blob.core.windows.net/x/a.txt';
  const dataset = { type: 'uri_file', dataUri, connectionName: `${mark}-store`, description: mark };
  await make(`/datasets/${mark}-data/versions/1`, dataset, merged, 'PATCH');
  const part = '--x\r\ncontent-disposition: form-data; name="data"; filename="a"\r\n\r\nhello\r\n--x--\r\n';
  const form = { 'content-type': 'multipart/form-data; boundary=x' };
  return {
    ...{ file, conversation, vector_store, batch, container, upload },
    item: items[0].id,
    response: await make('/v1/responses', turn),
    completion: await make('/v1/chat/completions', {
      ...{ model: 'my-model', messages: [{ role: 'user', content: mark }], store: true, metadata: { mark } },
    }),
    container_file: await make(`/v1/containers/${container}/files`, { file_id: file }),
    part: await make(`/v1/uploads/${upload}/parts`, part, form),
    agent: `${mark}-agent`,
    connection: `${mark}-link`,
    dataset: `${mark}-data`,
    index: `${mark}-index`,
  };
}

/** The same from run to run. */
function chances(seed: number): (below: number) => number {
  const next = seededNumbers(seed);
  return (below) => Math.floor((next() / 2 ** 32) * below);
}

const isMadeByServer = (thing: string): boolean => /_[0-9a-f]{30,}/.test(thing);
/** Of the same form, and of nothing. */
function ghostOf(thing: string, chance: (below: number) => number): string {
  if (!isMadeByServer(thing)) return thing.replace(marker, 'nobody-has');
  const digits = Array.from({ length: 12 }, () => chance(16).toString(16)).join('');
  return thing.slice(0, 20) + digits + thing.slice(32);
}

async function told(
  call: NamingCall,
  things: readonly string[],
): Promise<{ reply: TestReply; text: string }> {
  const reply = await app.in('ours')(call.method, call.path(things), call.body?.(things), call.headers);
  const body = reply.text.replace(/"request_id":"\w+"/, '');
  const text = things.reduce((said, thing, at) => said.replaceAll(thing, `<${at}>`), body);
  return { reply, text };
}

test(`of ${operations} calls with things of another project each is answered as if they were nowhere`, async () => {
  const theirs = app.in('theirs');
  const snapshot = async () => {
    const paths = [
      '/agents',
      '/connections',
      '/indexes',
      '/datasets',
      '/v1/conversations',
      '/v1/responses',
      '/v1/files',
    ];
    const more = ['/v1/vector_stores', '/v1/containers', '/v1/chat/completions'];
    const { conversation, vector_store, container, batch } = worlds.theirs;
    const within = [
      `/v1/conversations/${conversation}/items`,
      `/v1/vector_stores/${vector_store}/files`,
      `/v1/vector_stores/${vector_store}/file_batches/${batch}`,
      `/v1/containers/${container}/files`,
    ];
    return Promise.all([...paths, ...more, ...within].map(async (path) => (await theirs('GET', path)).text));
  };
  const before = await snapshot();
  const calls = [...pathCalls(app.families), ...bodyCalls, ...cursorCalls];
  const chance = chances(20_261_127);
  const ghosts = new Map<string, string>();
  const seen = new Set<string>();
  for (let n = 0; n < operations; n++) {
    const call = calls[chance(calls.length)] as NamingCall;
    // At least one is theirs; at an agent's own endpoint it is not the agent, which some calls do not ask for.
    const first = call.kinds[0] === 'agent' && call.kinds.length > 1 ? 1 : 0;
    const theirsAt = first + chance(call.kinds.length - first);
    const isTheirs = call.kinds.map((_, at) => at === theirsAt || chance(3) === 0);
    const worldAt = (at: number): World => (isTheirs[at] ? worlds.theirs : worlds.ours);
    const things = call.kinds.map((kind: Kind, at) => worldAt(at)[kind]);
    const shape = `${call.method} ${call.path(isTheirs.map(String))} ${call.name} ${JSON.stringify(call.body?.(isTheirs.map(String)))}`;
    const { reply, text } = await told(call, things);
    const answer = `${reply.status} ${text}`;
    if (!ghosts.has(shape)) {
      const nobodys = things.map((thing, at) => (isTheirs[at] ? ghostOf(thing, chance) : thing));
      const ghost = await told(call, nobodys);
      ghosts.set(shape, `${ghost.reply.status} ${ghost.text}`);
    }
    expect(answer, shape).toBe(ghosts.get(shape));
    expect(call.isQuiet && reply.status < 300 ? 404 : reply.status, shape + reply.text).toBeOneOf(refusals);
    if (!call.kinds.some((kind) => kind === 'agent')) expect(text, shape).not.toContain(marker);
    seen.add(call.name);
  }
  expect(calls.filter(({ name }) => !seen.has(name))).toEqual([]);
  expect(await snapshot()).toEqual(before);
}, 600_000);
