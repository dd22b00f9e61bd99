/**
 * `node bench/replay.ts [SECONDS]`: requests per second of a replay, beside those of the floor whose answers were
 * recorded: the same requests, and answers of the same bytes.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRecorder } from '../src/recordings/recorder.ts';
import { ensureCertificates } from '../src/trust/certificates.ts';
import { openConnection } from './connection.ts';
import { separateCores } from './cores.ts';
import { killLaunched, launch } from './launch.ts';
import { succeeded } from './load.ts';
import { defaultEntry, startFloor, type Target } from './servers.ts';
import { measureThroughput, type Side } from './throughput.ts';

const kinds = ['agentGet', 'storedResponse', 'stream'] as const;
const target = 0.7;

const seconds = Number(process.argv[2] ?? 8);
const directory = mkdtempSync(join(tmpdir(), 'bloomery-bench-'));

async function record(floor: Target, file: string): Promise<void> {
  const { key, certificate } = await ensureCertificates(directory, []);
  const recorder = await startRecorder({
    upstream: new URL(`http://127.0.0.1:${floor.port}/`),
    ...{ upstreamCa: null, credential: null, file, port: 0, tls: { key, cert: certificate } },
    tell: (line) => process.stderr.write(`${line}\n`),
  });
  const connection = await openConnection(recorder.port);
  for (const kind of kinds) succeeded(await connection.ask(floor.requests[kind]));
  connection.close();
  await recorder.close();
}

const rounded = ({ perSecond, microseconds, answerBytes }: Side) => ({
  perSecond: Math.round(perSecond),
  microseconds: microseconds === null ? null : Math.round(microseconds * 10) / 10,
  answerBytes,
});

try {
  const floor = await startFloor(join(directory, 'floor'), 'floor');
  const file = join(directory, 'recording.jsonl');
  await record(floor, file);
  const options = ['--lenient', '--json', '--port', '0', '--data', directory];
  const server = await launch([defaultEntry, 'replay', file, ...options]);
  const port = Number(new URL(String(server.ready.endpoint)).port);
  const replay: Target = { ...floor, name: 'replay', port, pid: server.pid, stop: server.stop };
  const coresSeparate = separateCores([floor.pid, replay.pid]);
  let isReached = true;
  for (const kind of kinds) {
    const measured = await measureThroughput(floor, replay, kind, seconds);
    isReached &&= measured.ratio >= target;
    const figures = { ...measured, floor: rounded(measured.floor), peer: rounded(measured.peer) };
    process.stdout.write(`${JSON.stringify({ kind, target, ...figures, coresSeparate })}\n`);
  }
  process.exitCode = isReached ? 0 : 1;
  await Promise.all([server.stop(), floor.stop()]);
} finally {
  killLaunched();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
}
