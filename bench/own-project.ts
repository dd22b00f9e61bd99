/**
 * `node bench/own-project.ts [ROUNDS]`: how long a test waits for a project of its own, in milliseconds: from asking
 * for it to its first answered request, and for its deletion; made anew, and as a fork of a project with an agent.
 * Beside it the floor: a request to a project that is there.
 */
import { type Project, startServer } from '../src/testing/index.ts';
import { percentile } from './statistics.ts';

const rounds = Number(process.argv[2] ?? 300);
const warmUp = 20;

type Step = () => Promise<void>;

async function timed(step: Step): Promise<number> {
  const began = performance.now();
  await step();
  return performance.now() - began;
}

const told = (times: number[]) => {
  const sorted = times.toSorted((a, b) => a - b);
  const rounded = (share: number) => Number(percentile(sorted, share).toFixed(1));
  return { median: rounded(0.5), p99: rounded(0.99), most: rounded(1) };
};

const start = performance.now();
await using server = await startServer();
const startMs = performance.now() - start;

await using origin = await server.project();
const definition = { kind: 'prompt' as const, model: 'builtin', instructions: 'Be brief.' };
await origin.client.agents.createVersion({ params: { agent_name: 'seeded' }, body: { definition } });

async function measured(make: () => Promise<Project>) {
  const times = { ready: [] as number[], deleted: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    let project = origin;
    const ready = await timed(async () => {
      project = await make();
      await project.client.agents.list();
    });
    const deleted = await timed(() => project.delete());
    if (round < warmUp) continue;
    times.ready.push(ready);
    times.deleted.push(deleted);
  }
  return { first_answer_ms: told(times.ready), deleted_ms: told(times.deleted) };
}

const floor: number[] = [];
for (let round = 0; round < rounds; round++) {
  const time = await timed(async () => void (await origin.client.agents.list()));
  if (round >= warmUp) floor.push(time);
}
const figures = {
  rounds: rounds - warmUp,
  server_ready_ms: Number(startMs.toFixed(0)),
  floor_ms: told(floor),
  fresh: await measured(() => server.project()),
  fork: await measured(() => origin.fork()),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
