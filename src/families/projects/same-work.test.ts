import { afterAll, beforeAll, expect, test } from 'vitest';
import { seededNumbers } from '../../kit/seeded-numbers.ts';
import { type WatchedStatements, watchStatements } from '../../storage/testing/watch-statements.ts';
import { bodyCalls, cursorCalls, type NamingCall, pathCalls, type World } from './testing/foreign-calls.ts';
import { type ProjectApp, projectApp } from './testing/project-app.ts';
import { furnishedWorld, ghostOf, marker } from './testing/worlds.ts';

let app: ProjectApp;
let watched: WatchedStatements;
let theirs: World;
beforeAll(async () => {
  watched = watchStatements();
  app = await projectApp();
  for (const name of ['ours', 'theirs']) await app.admin('POST', '/projects', { name });
  await furnishedWorld(app, 'ours', 'mine');
  theirs = await furnishedWorld(app, 'theirs', marker);
}, 60_000);
afterAll(async () => {
  watched.close();
  await app.close();
});

/** What the server did for a call with these things, and how it answered. */
async function workFor(call: NamingCall, things: readonly string[]): Promise<string[]> {
  watched.taken();
  const { status } = await app.in('ours')(
    ...([call.method, call.path(things), call.body?.(things), call.headers] as const),
  );
  return [String(status), ...watched.taken()];
}

const next = seededNumbers(7);
const chance = (below: number): number => Math.floor((next() / 2 ** 32) * below);
/** The server also keeps house, on its own time. */
const tries = 5;

test('whether somebody else has a thing or nobody has costs the same statements, of every operation', async () => {
  const calls = [...pathCalls(app.families), ...bodyCalls, ...cursorCalls];
  const other: string[] = [];
  let statements = 0;
  for (const call of calls) {
    const foreign = call.kinds.map((kind) => theirs[kind]);
    const nobodys = foreign.map((thing) => ghostOf(thing, chance));
    let work: string[][] = [];
    for (let n = 0; n < tries; n++) {
      work = [await workFor(call, foreign), await workFor(call, nobodys)];
      if (work[0]?.join('\n') === work[1]?.join('\n')) break;
    }
    const [one = [], two = []] = work;
    statements += one.length - 1;
    if (one.join('\n') !== two.join('\n')) {
      other.push(
        `${call.name} ${call.path(foreign)}\n  theirs: ${one.join('; ')}\n  nobody's: ${two.join('; ')}`,
      );
    }
  }
  expect(other).toEqual([]);
  expect(statements).toBeGreaterThan(calls.length / 2);
}, 60_000);

test('a thing of one’s own costs other statements, so the comparison can tell', async () => {
  const call = pathCalls(app.families).find(({ name }) => name === 'conversations.createItems') as NamingCall;
  const mine = String((await app.in('ours')('POST', '/v1/conversations', {})).json.id);
  expect(await workFor(call, [mine])).not.toEqual(await workFor(call, [theirs.conversation]));
});
