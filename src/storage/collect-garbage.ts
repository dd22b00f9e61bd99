import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

type Collect = (options: { type: 'minor' | 'major'; execution: 'sync'; flavor?: 'last-resort' }) => void;

let collect: Collect | null = null;

/** V8's own collector, which it gives to nobody unless it is told to. */
function collector(): Collect {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as Collect;
    setFlagsFromString('--no-expose-gc');
  }
  return collect;
}

/** All that is of no use any more. It takes 60 ms or so. */
export function collectAll(): void {
  collector()({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** What was made lately and is of no use any more. It takes a millisecond or so. */
export function collectYoung(): void {
  collector()({ type: 'minor', execution: 'sync' });
}
