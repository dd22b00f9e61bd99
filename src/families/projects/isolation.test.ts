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
import { furnishedWorld, ghostOf, marker } from './testing/worlds.ts';

const operations = 10_000;
const refusals = [400, 403, 404];

let app: ProjectApp;
const worlds: Record<'ours' | 'theirs', World> = { ours: {} as World, theirs: {} as World };
beforeAll(async () => {
  app = await projectApp();
  for (const project of ['ours', 'theirs'] as const) {
    await app.admin('POST', '/projects', { name: project });
    worlds[project] = await furnishedWorld(app, project, project === 'ours' ? 'mine' : marker);
  }
}, 60_000);
afterAll(() => app.close());

/** The same from run to run. */
function chances(seed: number): (below: number) => number {
  const next = seededNumbers(seed);
  return (below) => Math.floor((next() / 2 ** 32) * below);
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
