/**
 * `node bench/projects.ts [ITEMS] [ROUNDS]`: what it takes to fork a project with so many items (10,000 unless given) and to
 * reset the fork, in milliseconds, as a client of the running server sees it; and how long a small read of another
 * client waits at worst meanwhile.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../src/config.ts';
import { startServer } from '../src/server.ts';
import { median } from './statistics.ts';

const count = Number(process.argv[2] ?? 10_000);
const perRequest = 20;
const perConversation = 1000;
const rounds = Number(process.argv[3] ?? 20);

const directory = mkdtempSync(join(tmpdir(), 'bloomery-bench-'));
const server = await startServer({
  ...{ port: 0, host: '127.0.0.1', dataDirectory: directory, apiKey: 'key', logLevel: 'error' },
  config: loadConfig({ file: null, environment: {}, discovery: false }),
});
const origin = `http://127.0.0.1:${server.port}`;

async function call(path: string, body: object): Promise<Record<string, string>> {
  const reply = await fetch(origin + path, {
    method: 'POST',
    headers: { 'api-key': 'key', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!reply.ok) throw new Error(await reply.text());
  return (await reply.json()) as Record<string, string>;
}

/** Of reads one after the other, until something is over. */
async function longestWait(path: string, work: Promise<unknown>): Promise<number> {
  let isOver = false;
  const over = work.finally(() => {
    isOver = true;
  });
  let longest = 0;
  while (!isOver) {
    const start = performance.now();
    await (await fetch(origin + path, { headers: { 'api-key': 'key' } })).text();
    longest = Math.max(longest, performance.now() - start);
  }
  await over;
  return longest;
}

interface Taken {
  ms: number;
  /** Of the processor, client included: what the time would be on a machine that does nothing else. */
  cpuMs: number;
}

const timed = async (work: () => Promise<unknown>): Promise<Taken> => {
  const before = process.cpuUsage();
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1000 };
};
const told = (taken: Taken[], times = taken.map(({ ms }) => ms)) => ({
  cpu_median: Number(median(taken.map(({ cpuMs }) => cpuMs)).toFixed(1)),
  median: Number(median(times).toFixed(1)),
  least: Number(Math.min(...times).toFixed(1)),
  most: Number(Math.max(...times).toFixed(1)),
});

try {
  const base = '/api/projects/default/openai/v1/conversations';
  let id = '';
  for (let n = 0; n < count; n += perRequest) {
    if (n % perConversation === 0) ({ id = '' } = await call(base, {}));
    const items = Array.from({ length: perRequest }, (_, at) => ({
      ...{ role: 'user', content: `Message ${n + at}: ${'what was said in it, and some more. '.repeat(6)}` },
    }));
    await call(`${base}/${id}/items`, { items });
  }
  const forks: Taken[] = [];
  const resets: Taken[] = [];
  const filled: Taken[] = [];
  for (let round = 0; round < rounds; round++) {
    const name = `fork-${round}`;
    forks.push(await timed(() => call('/admin/projects/default:fork', { name })));
    resets.push(await timed(() => call(`/admin/projects/${name}:reset`, {})));
    await call(`/admin/projects/${name}:reset`, { to: 'empty' });
    filled.push(await timed(() => call(`/admin/projects/${name}:reset`, { to: 'origin' })));
  }
  const waits: number[] = [];
  for (let round = 0; round < rounds; round++) {
    waits.push(
      await longestWait(`${base}/${id}`, call('/admin/projects/default:fork', { name: `other-${round}` })),
    );
  }
  const figures = {
    ...{ items: count, fork_ms: told(forks), reset_ms: told(resets), reset_from_empty_ms: told(filled) },
    others_wait_ms: {
      median: Number(median(waits).toFixed(1)),
      most: Number(Math.max(...waits).toFixed(1)),
    },
  };
  process.stdout.write(`${JSON.stringify(figures)}\n`);
} finally {
  await server.close();
  rmSync(directory, { recursive: true, force: true });
}
