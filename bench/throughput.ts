import type { Answer, Connection } from './connection.ts';
import { drive, openConnections, type Slice, succeeded } from './load.ts';
import type { Target } from './servers.ts';
import { median, medianKnown } from './statistics.ts';

export interface Side {
  perSecond: number;
  /** Shares of the time, from 0 to 1, that the server's main thread ran and that it waited for a core. */
  running: number | null;
  waiting: number | null;
  /** What a request costs the server's main thread, in microseconds. */
  microseconds: number | null;
  answerBytes: number;
}

export interface Throughput {
  floor: Side;
  peer: Side;
  /** The median over the rounds of peer by floor; the machine drifts, but hardly within a round. */
  ratio: number;
}

const connectionCount = 16;
const roundSeconds = 2;
const fewestRounds = 3;
/** V8 compiles on the server's own core, and goes on doing so for tens of thousands of requests. */
const warmUpRounds = 6;
const warmUpMilliseconds = 2500;

/** Drives both servers in turn, in short rounds; who comes first alternates. */
export async function measureThroughput(
  floor: Target,
  peer: Target,
  kind: 'storedResponse' | 'agentGet' | 'stream',
  seconds: number,
): Promise<Throughput> {
  const rounds = Math.max(fewestRounds, Math.round(seconds / roundSeconds));
  const milliseconds = (seconds * 1000) / rounds / 2;
  const open = async (target: Target) => ({
    target,
    connections: await openConnections(target.port, connectionCount),
    slices: [] as Slice[],
  });
  const sides = [await open(floor), await open(peer)] as const;
  const driveSide = ({ target, connections }: (typeof sides)[number], time: number) =>
    drive(connections, { request: target.requests[kind], pid: target.pid, milliseconds: time });

  for (let round = 0; round < warmUpRounds; round++) {
    for (const side of sides) await driveSide(side, warmUpMilliseconds);
  }
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? sides : sides.toReversed();
    for (const side of order) side.slices.push(await driveSide(side, milliseconds));
  }

  const bytes: number[] = [];
  for (const { target, connections } of sides) {
    const last = await (connections[0] as Connection).ask(target.requests[kind]);
    bytes.push(Buffer.byteLength(last.text()));
    if (kind === 'storedResponse') await readBack(target, connections[0] as Connection, last);
    for (const connection of connections) connection.close();
  }
  const [floorSlices, peerSlices] = sides.map(({ slices }) => slices) as [Slice[], Slice[]];
  return {
    floor: summary(floorSlices, bytes[0] ?? 0),
    peer: summary(peerSlices, bytes[1] ?? 0),
    ratio: median(
      peerSlices.map(({ perSecond }, round) => perSecond / (floorSlices[round] as Slice).perSecond),
    ),
  };
}

/** A stored response that cannot be read again was not stored, and its speed is worth nothing. */
async function readBack(target: Target, connection: Connection, answer: Answer): Promise<void> {
  if (target.readBack === null) return;
  const { id } = JSON.parse(succeeded(answer).text());
  succeeded(await connection.ask(target.readBack(id)));
}

function summary(slices: Slice[], answerBytes: number): Side {
  return {
    perSecond: median(slices.map(({ perSecond }) => perSecond)),
    running: medianKnown(slices.map(({ running }) => running)),
    waiting: medianKnown(slices.map(({ waiting }) => waiting)),
    microseconds: medianKnown(
      slices.map(({ running, perSecond }) => (running === null ? null : (running / perSecond) * 1e6)),
    ),
    answerBytes,
  };
}
