/**
 * `node bench/limits.ts [SECONDS]`: what it costs a request to be verified, allowed by a role, limited and audited,
 * against the same route of the same server without any of it; and how exact the limiter is when a thousand clients ask at once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { separateCores } from './cores.ts';
import { killLaunched, type Launched, launch } from './launch.ts';
import { drive, openConnections, type Slice, succeeded } from './load.ts';
import { median, medianKnown } from './statistics.ts';

const clients = 1000;
const allowed = 500;
const rounds = 9;
const warmUpRounds = 4;
const targetMicroseconds = 60;

interface Side {
  server: Launched;
  port: number;
  request: Buffer;
}

async function start(directory: string, ...args: string[]): Promise<Side> {
  const server = await launch([join(import.meta.dirname, 'serve-guarded.ts'), directory, ...args]);
  const port = Number(server.ready.port);
  const ask = (method: string, body = '') =>
    Buffer.from(
      [
        `${method} /api/projects/default/agents${method === 'GET' ? '/bench' : ''}?api-version=v1 HTTP/1.1`,
        `host: 127.0.0.1:${port}`,
        `api-key: ${server.ready.apiKey}`,
        ...(body === '' ? [] : ['content-type: application/json', `content-length: ${body.length}`]),
        '',
        body,
      ].join('\r\n') + (body === '' ? '\r\n' : ''),
    );
  const [connection] = await openConnections(port, 1);
  const agent = {
    name: 'bench',
    definition: { kind: 'prompt', model: 'builtin', instructions: 'Be brief.' },
  };
  if (connection !== undefined) succeeded(await connection.ask(ask('POST', JSON.stringify(agent))));
  connection?.close();
  return { server, port, request: ask('GET') };
}

/** Microseconds of the server's main thread per request, in turn. */
async function compare(sides: Side[], milliseconds: number) {
  const open = await Promise.all(
    sides.map(async (side) => ({ side, connections: await openConnections(side.port, 16) })),
  );
  const slices = sides.map((): Slice[] => []);
  for (let round = -warmUpRounds; round < rounds; round++) {
    const order = round % 2 === 0 ? [0, 1] : [1, 0];
    for (const at of order) {
      const { side, connections } = open[at] as (typeof open)[number];
      const slice = await drive(connections, { request: side.request, pid: side.server.pid, milliseconds });
      if (round >= 0) slices[at]?.push(slice);
    }
  }
  for (const { connections } of open) for (const connection of connections) connection.close();
  return slices.map((all) => ({
    perSecond: Math.round(median(all.map(({ perSecond }) => perSecond))),
    microseconds: medianKnown(
      all.map(({ running, perSecond }) => (running === null ? null : (running / perSecond) * 1e6)),
    ),
  }));
}

async function exactness(side: Side): Promise<Record<number, number>> {
  const connections = await openConnections(side.port, clients);
  const statuses: Record<number, number> = {};
  await Promise.all(
    connections.map(async (connection) => {
      const { status } = await connection.ask(side.request);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }),
  );
  for (const connection of connections) connection.close();
  return statuses;
}

const seconds = Number(process.argv[2] ?? 10);
const directory = mkdtempSync(join(tmpdir(), 'bloomery-bench-'));
try {
  const open = await start(join(directory, 'open'), 'open');
  const guarded = await start(join(directory, 'guarded'), 'guarded');
  const coresSeparate = separateCores([open.server.pid, guarded.server.pid]);
  const [without, withAll] = await compare([open, guarded], (seconds * 1000) / rounds / 2);
  await Promise.all([open.server.stop(), guarded.server.stop()]);
  // Creating the agent counts as well.
  const limited = await start(join(directory, 'limited'), 'guarded', String(allowed + 1));
  const statuses = await exactness(limited);
  await limited.server.stop();
  const added = (withAll?.microseconds ?? Number.NaN) - (without?.microseconds ?? Number.NaN);
  const off = (statuses[200] ?? 0) - allowed;
  process.stdout.write(
    `${JSON.stringify(
      {
        without,
        withAll,
        addedMicroseconds: Math.round(added * 10) / 10,
        targetMicroseconds,
        allowed,
        statuses,
        off,
        coresSeparate,
      },
      null,
      2,
    )}\n`,
  );
  const verdict = added < targetMicroseconds ? 'reached' : 'missed';
  process.stdout.write(
    `authentication, authorisation, limits and audit: ${added.toFixed(1)} µs median per request beyond the route without them (target: under ${targetMicroseconds} µs, ${verdict})\n`,
  );
  process.exitCode = added < targetMicroseconds && Math.abs(off) <= 1 ? 0 : 1;
} finally {
  killLaunched();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
