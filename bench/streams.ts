import { setTimeout as after } from 'node:timers/promises';
import { threadTimes } from '../src/providers/workers/system-files.ts';
import { openConnection } from './connection.ts';
import { succeeded } from './load.ts';
import { openStreams } from './open-streams.ts';
import { residentMegabytes } from './process-figures.ts';
import { pacedMilliseconds, type Target } from './servers.ts';
import { percentile } from './statistics.ts';

export interface StreamsSide {
  /** How much later than due an event comes, in milliseconds: it is due `pacedMilliseconds` after the one before. */
  late: { median: number; p99: number; most: number };
  /** Events per second and stream; the model would send 20. */
  eventsPerSecond: number;
  /** Share of the time, from 0 to 1, that the server's main thread ran, and waited for a core. */
  running: number | null;
  waiting: number | null;
  /** What an event costs the server's main thread, in microseconds. */
  microseconds: number | null;
  /** Memory for each stream that is open and silent, in kB of 1000 bytes, as soon as all are open. */
  openedKilobytes: number | null;
  /** The same at rest, once V8 has given back the room in which they were made; it waits for up to 20 s of silence. */
  idleKilobytes: number | null;
}

export interface Streams {
  floor: StreamsSide;
  peer: StreamsSide;
  /** How much later than the floor's the 99th of 100 events comes. */
  lateDifference: number;
}

export const streamCount = 1000;
const spreadMilliseconds = 2000;
const settleMilliseconds = 3000;
const restMilliseconds = 30_000;
const warmUpStreams = 50;
const mostSeconds = 60;
/** Twice as many as there should be. */
const mostEventsPerSecond = (streamCount * 2000) / pacedMilliseconds;

/** Each server in turn, fresh from its start: first silent streams for its memory, then talking ones. */
export async function measureStreams(
  start: { floor(): Promise<Target>; peer(): Promise<Target> },
  onStart: (target: Target) => void,
  seconds: number,
): Promise<Streams> {
  const measure = async (starting: Promise<Target>): Promise<StreamsSide> => {
    const target = await starting;
    onStart(target);
    await warmUp(target);
    const memory = await idleMemory(target);
    const side = { ...(await pacedStreams(target, Math.min(seconds, mostSeconds))), ...memory };
    await target.stop();
    return side;
  };
  const floor = await measure(start.floor());
  const peer = await measure(start.peer());
  return { floor, peer, lateDifference: peer.late.p99 - floor.late.p99 };
}

async function warmUp(target: Target): Promise<void> {
  const connection = await openConnection(target.port);
  for (let stream = 0; stream < warmUpStreams; stream++) {
    succeeded(await connection.ask(target.requests.stream));
  }
  connection.close();
}

async function idleMemory({ port, pid, requests }: Target) {
  await after(settleMilliseconds);
  const before = residentMegabytes(pid);
  const each = (): number | null => {
    const now = residentMegabytes(pid);
    return before === null || now === null ? null : ((now - before) / streamCount) * 1000;
  };
  const options = { count: streamCount, spreadMilliseconds, mostEvents: 0 };
  const streams = await openStreams(port, requests.idleStream, options);
  await after(settleMilliseconds);
  const openedKilobytes = each();
  await after(restMilliseconds);
  const idleKilobytes = each();
  streams.close();
  await after(settleMilliseconds);
  return { openedKilobytes, idleKilobytes };
}

async function pacedStreams(
  { port, pid, requests }: Target,
  seconds: number,
): Promise<Omit<StreamsSide, 'openedKilobytes' | 'idleKilobytes'>> {
  const mostEvents = mostEventsPerSecond * seconds;
  const streams = await openStreams(port, requests.pacedStream, {
    count: streamCount,
    spreadMilliseconds,
    mostEvents,
  });
  await after(settleMilliseconds);
  const before = threadTimes(pid);
  const start = performance.now();
  streams.note();
  await after(seconds * 1000);
  const gaps = streams.noted();
  const elapsed = performance.now() - start;
  const now = threadTimes(pid);
  streams.close();
  if (gaps.length === 0) throw new Error('No event came in all the time.');
  const share = (kind: 'running' | 'waiting') =>
    before === null || now === null ? null : (now[kind] - before[kind]) / elapsed;
  const sorted = gaps.toSorted();
  const running = share('running');
  return {
    late: {
      median: percentile(sorted, 0.5) - pacedMilliseconds,
      p99: percentile(sorted, 0.99) - pacedMilliseconds,
      most: percentile(sorted, 1) - pacedMilliseconds,
    },
    eventsPerSecond: (gaps.length / elapsed / streamCount) * 1000,
    running,
    waiting: share('waiting'),
    microseconds: running === null ? null : (running * elapsed * 1000) / gaps.length,
  };
}
