import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' | 'major'; execution: 'sync'; flavor?: 'last-resort' }) => void;

let collect: Collect | null = null;

/** V8's own collector, which it gives to nobody unless it is told to. */
function collector(): Collect {
  setFlagsFromString('--expose-gc');
  const exposed = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return exposed;
}

/** All that is of no use any more. It takes 60 ms or so. */
export function collectAll(): void {
  collector()({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** What was made lately and is of no use any more. It takes a millisecond or so. */
export function collectYoung(): void {
  collect ??= collector();
  collect({ type: 'minor', execution: 'sync' });
}
