import { type Answer, type Connection, openConnection } from './connection.ts';
import { succeeded } from './load.ts';
import { longEvents, type Target } from './servers.ts';
import { median } from './statistics.ts';

export interface Resume {
  /** Medians in milliseconds, from the request's writing to the last byte. */
  floor: number;
  peer: number;
  ratio: number;
  events: number;
}

const leastReplays = 20;
const warmUpReplays = 30;

/** Replays a long log, and reads a static file of the same size from the floor, in turn. */
export async function measureResume(floor: Target, peer: Target, seconds: number): Promise<Resume> {
  const peerConnection = await openConnection(peer.port);
  const floorConnection = await openConnection(floor.port);
  const log = await logOf(peer, peerConnection);
  const sides = [
    { connection: floorConnection, request: floor.replay(log), milliseconds: [] as number[] },
    { connection: peerConnection, request: peer.replay(log), milliseconds: [] as number[] },
  ] as const;
  const both = async (turn: number, keep: boolean) => {
    for (const { connection, request, milliseconds } of turn % 2 === 0 ? sides : sides.toReversed()) {
      const { lastByte } = succeeded(await connection.ask(request));
      if (keep) milliseconds.push(lastByte);
    }
  };
  for (let turn = 0; turn < warmUpReplays; turn++) await both(turn, false);
  const end = performance.now() + seconds * 1000;
  for (let turn = 0; turn < leastReplays || performance.now() < end; turn++) await both(turn, true);
  for (const { connection } of sides) connection.close();
  const [ofFloor, ofPeer] = [median(sides[0].milliseconds), median(sides[1].milliseconds)];
  return { floor: ofFloor, peer: ofPeer, ratio: ofPeer / ofFloor, events: longEvents };
}

/** Makes the log and looks whether it is as long as it should be; a second floor has a file of much the same size. */
async function logOf(target: Target, connection: Connection): Promise<{ id: string; bytes: number }> {
  const { longStream } = target.requests;
  if (longStream === null) return { id: '', bytes: 1_200_000 };
  const [, id = ''] = /"id":"(resp_\w+)"/.exec(succeeded(await connection.ask(longStream)).text()) ?? [];
  const whole: Answer = succeeded(await connection.ask(target.replay({ id, bytes: 0 })));
  const text = whole.text();
  const events = text.split('"sequence_number":').length - 1;
  if (events !== longEvents) throw new Error(`The log has ${events} events, not ${longEvents}.`);
  return { id, bytes: Buffer.byteLength(text) };
}
