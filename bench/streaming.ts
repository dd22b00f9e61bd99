import { type Answer, openConnection } from './connection.ts';
import { succeeded } from './load.ts';
import type { Target } from './servers.ts';
import { median } from './statistics.ts';

export interface Streaming {
  /** Medians in milliseconds, from the request's writing. */
  floor: { firstByte: number; lastByte: number };
  peer: { firstByte: number; lastByte: number };
  /** How much later than the floor's the first byte comes, by the medians. */
  firstByteDifference: number;
  streams: number;
}

const leastDeltas = 200;
const leastStreams = 20;
const warmUpStreams = 50;

/** One stream at a time, the servers in turn, each on one open connection. */
export async function measureStreaming(floor: Target, peer: Target, seconds: number): Promise<Streaming> {
  const open = async (target: Target) => ({
    target,
    connection: await openConnection(target.port),
    answers: [] as { firstByte: number; lastByte: number }[],
  });
  const sides = [await open(floor), await open(peer)] as const;
  const both = async (turn: number, keep: boolean) => {
    for (const { target, connection, answers } of turn % 2 === 0 ? sides : sides.toReversed()) {
      const answer = succeeded(await connection.ask(target.requests.stream));
      requireDeltas(target, answer);
      if (keep) answers.push({ firstByte: answer.firstByte, lastByte: answer.lastByte });
    }
  };
  for (let turn = 0; turn < warmUpStreams; turn++) await both(turn, false);
  const end = performance.now() + seconds * 1000;
  let streams = 0;
  while (streams < leastStreams || performance.now() < end) await both(streams++, true);

  const [floorMedians, peerMedians] = sides.map(({ answers }) => ({
    firstByte: median(answers.map(({ firstByte }) => firstByte)),
    lastByte: median(answers.map(({ lastByte }) => lastByte)),
  })) as [Streaming['floor'], Streaming['peer']];
  for (const { connection } of sides) connection.close();
  return {
    floor: floorMedians,
    peer: peerMedians,
    firstByteDifference: peerMedians.firstByte - floorMedians.firstByte,
    streams,
  };
}

function requireDeltas(target: Target, answer: Answer): void {
  const text = answer.text();
  const deltas = text.split('"type":"response.output_text.delta"').length - 1;
  if (deltas >= leastDeltas) return;
  throw new Error(
    `The stream of ${target.name} has ${deltas} deltas, not ${leastDeltas}: ${text.slice(-2000)}`,
  );
}
