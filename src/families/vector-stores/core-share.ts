/** The cores that reading documents and indexing them may keep busy; the others are left to those who answer requests. */
export interface CoreShare {
  run<T>(kind: 'read' | 'index', work: () => Promise<T>): Promise<T>;
}

/** What has been read meanwhile is put into the index together, which is less work. */
const gatherMilliseconds = 250;
/** Who has waited for so long goes on beside the others: a document that takes a minute holds up no other. */
const patienceMilliseconds = 1000;

interface Waiting {
  since: number;
  begin(): void;
}

export function createCoreShare(cores: number): CoreShare {
  const waiting = { read: [] as Waiting[], index: [] as Waiting[] };
  let busy = 0;

  const next = (): Waiting | undefined => {
    const [index] = waiting.index;
    const isDue = index !== undefined && performance.now() - index.since >= gatherMilliseconds;
    return (isDue ? undefined : waiting.read.shift()) ?? waiting.index.shift() ?? waiting.read.shift();
  };

  const takePlace = async (kind: 'read' | 'index'): Promise<void> => {
    if (busy < cores) {
      busy++;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const entry: Waiting = { since: performance.now(), begin: turn.resolve };
    waiting[kind].push(entry);
    const impatience = setTimeout(() => {
      const at = waiting[kind].indexOf(entry);
      if (at < 0) return;
      waiting[kind].splice(at, 1);
      busy++;
      turn.resolve();
    }, patienceMilliseconds);
    await turn.promise;
    clearTimeout(impatience);
  };

  /** The place goes to the next one, but for those who took one that there was not. */
  const leavePlace = (): void => {
    const one = busy > cores ? undefined : next();
    if (one === undefined) busy--;
    else one.begin();
  };

  return {
    async run(kind, work) {
      await takePlace(kind);
      try {
        return await work();
      } finally {
        leavePlace();
      }
    },
  };
}
