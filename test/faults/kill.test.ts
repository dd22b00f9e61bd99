import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Client, Cut, createClient, listAll } from './client.ts';
import { checkConversation } from './conversation-check.ts';
import { checkDatabase } from './database-check.ts';
import { type Fact, isUnderWay, type KnownConversation } from './known.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import { type ServedProcess, startProcess } from './served-process.ts';
import { type Actor, newConversation, takeTurn, workloads } from './workloads.ts';

const kills = Number(process.env.BLOOMERY_KILLS ?? 15);
const seed = Number(process.env.BLOOMERY_SEED ?? randomInt(2 ** 31));

const actorCount = 6;
/** A kill comes after so many events at most, requests, heads, frames and ends counted. */
const mostEvents = 250;
/** And so many turns of our event loop behind that event, so that it also falls between two. */
const mostTurns = 12;
/** A conversation grows no longer than this. */
const mostItems = 80;
/** How long work that the dead server had begun may take to end after the restart. */
const leaseMilliseconds = 15_000;

let directory: string;
let server: ServedProcess;
const start = () => startProcess(directory, { tool: true });
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-kill-'));
  server = await start();
});
afterEach(async () => {
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
});

test(`nothing acknowledged is lost and nothing is left half done by ${kills} kills`, {
  timeout: 60_000 + kills * 20_000,
}, async () => {
  process.stderr.write(`BLOOMERY_SEED=${seed} BLOOMERY_KILLS=${kills}\n`);
  const random = seededRandom(seed);
  const world = createWorld(random);
  let newest = '';
  for (let kill = 1; kill <= kills; kill++) {
    try {
      const learnt = await workUntilKilled(world, random);
      checkDatabase(directory);
      server = await start();
      const client = createClient(server);
      newest = await awaitEnds(client, newest);
      for (const fact of learnt) await holds(fact, client);
      for (const conversation of world.touched) await checkConversation(client, conversation);
      for (const actor of world.actorsWith(client)) {
        await takeTurn(actor, { text: actor.text('And now?'), stream: false });
      }
    } catch (error) {
      throw new Error(`At kill ${kill} of BLOOMERY_SEED=${seed}: ${messageOf(error)}`, { cause: error });
    }
  }
  const client = createClient(server);
  for (const conversation of world.conversations) await checkConversation(client, conversation);
  for (const fact of world.facts) await holds(fact, client);
  process.stderr.write(`${world.summary()}\n`);
  await server.stop();
  checkDatabase(directory);
});

/** The actors, and all that they have learnt. */
function createWorld(random: SeededRandom) {
  const conversations: KnownConversation[] = [];
  const facts: Fact[] = [];
  const touched = new Set<KnownConversation>();
  const cutWorkloads = new Map<string, number>();
  const current = new Map<number, KnownConversation>();
  const chances = Array.from({ length: actorCount }, () => random.fork());
  let texts = 0;

  const actor = (at: number, client: Client, learn: (fact: Fact) => void): Actor => ({
    client,
    random: chances[at] as SeededRandom,
    get conversation() {
      return current.get(at) as KnownConversation;
    },
    moveTo(conversation) {
      conversations.push(conversation);
      touched.add(conversation);
      current.set(at, conversation);
    },
    learn,
    text: (about) => `${about} (${++texts})`,
  });
  return {
    conversations,
    facts,
    /** Conversations that may have been written to since the last kill. */
    touched,
    noteCut(workload: string) {
      cutWorkloads.set(workload, (cutWorkloads.get(workload) ?? 0) + 1);
    },
    summary() {
      const items = conversations.reduce((sum, conversation) => sum + conversation.items.length, 0);
      const cuts = [...cutWorkloads].map(([name, times]) => `${name} ${times}`).join(', ');
      return `${facts.length} facts, ${items} items in ${conversations.length} conversations; cut: ${cuts}`;
    },
    begin() {
      touched.clear();
      for (const conversation of current.values()) touched.add(conversation);
    },
    actor,
    hasConversation: (at: number) => current.has(at),
    /** Those with a conversation, to go on with it after a restart. */
    actorsWith: (client: Client): Actor[] =>
      [...current.keys()].map((at) => actor(at, client, (fact) => facts.push(fact))),
  };
}

type World = ReturnType<typeof createWorld>;

/** Has all actors work until the server has been killed; returns what was learnt meanwhile. */
async function workUntilKilled(world: World, random: SeededRandom): Promise<Fact[]> {
  const learnt: Fact[] = [];
  const killAt = random.below(mostEvents);
  const turns = random.below(mostTurns);
  let killed: Promise<void> | null = null;
  let events = 0;
  const onEvent = () => {
    if (events++ === killAt) killed = passTurns(turns).then(() => server.kill());
  };
  const client = createClient(server, onEvent);
  world.begin();
  await Promise.all(
    Array.from({ length: actorCount }, async (_, at) => {
      const actor = world.actor(at, client, (fact) => learnt.push(fact));
      let workload = newConversation;
      try {
        if (!world.hasConversation(at)) await workload.run(actor);
        for (;;) {
          const isLong = actor.conversation.items.length > mostItems;
          workload = isLong ? newConversation : actor.random.pick(workloads);
          await workload.run(actor);
        }
      } catch (error) {
        if (!(error instanceof Cut)) throw error;
        if (killed === null) throw new Error('The server cut a connection without having been killed.');
        world.noteCut(workload.name);
      }
    }),
  );
  await killed;
  world.facts.push(...learnt);
  return learnt;
}

async function passTurns(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await setImmediate();
}

/** Waits until no response newer than `since` is under way; returns the newest one's id. */
async function awaitEnds(client: Client, since: string): Promise<string> {
  const deadline = performance.now() + leaseMilliseconds;
  for (;;) {
    const newer = await listAll(client, `/openai/v1/responses?order=asc${since && `&after=${since}`}`);
    const left = newer.filter(isUnderWay).map(({ id, status }) => ({ id, status }));
    if (left.length === 0) return String(newer.at(-1)?.id ?? since);
    if (performance.now() > deadline) expect(left, 'responses under way beyond their lease').toEqual([]);
    await setTimeout(50);
  }
}

async function holds({ what, check }: Fact, client: Client): Promise<void> {
  try {
    await check(client);
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`, { cause: error });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
