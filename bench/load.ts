import { threadTimes } from '../src/providers/workers/system-files.ts';
import { type Answer, type Connection, openConnection } from './connection.ts';

/** What one server did during one slice of load. */
export interface Slice {
  requests: number;
  perSecond: number;
  /** Of the time of the slice, how much the server's main thread ran, and how much it waited for a core; null where unknown. */
  running: number | null;
  waiting: number | null;
}

/** Opens connections that stay open, so that a slice measures requests only. */
export function openConnections(port: number, count: number): Promise<Connection[]> {
  return Promise.all(Array.from({ length: count }, () => openConnection(port)));
}

/** Each connection asks, waits for the answer and asks again, until the time is over. */
export async function drive(
  connections: Connection[],
  { request, pid, milliseconds }: { request: Buffer; pid: number; milliseconds: number },
): Promise<Slice> {
  const before = threadTimes(pid);
  const start = performance.now();
  const end = start + milliseconds;
  let requests = 0;
  await Promise.all(
    connections.map(async (connection) => {
      do {
        succeeded(await connection.ask(request));
        requests++;
      } while (performance.now() < end);
    }),
  );
  const elapsed = performance.now() - start;
  const after = threadTimes(pid);
  const share = (kind: 'running' | 'waiting') =>
    before === null || after === null ? null : (after[kind] - before[kind]) / elapsed;
  return {
    requests,
    perSecond: (requests / elapsed) * 1000,
    running: share('running'),
    waiting: share('waiting'),
  };
}

/** A failed request ends the measurement: a server that refuses is quick, and its figures would mean nothing. */
export function succeeded(answer: Answer): Answer {
  if (answer.status >= 200 && answer.status < 300) return answer;
  throw new Error(`A request was answered with ${answer.status}: ${answer.text().slice(0, 2000)}`);
}
