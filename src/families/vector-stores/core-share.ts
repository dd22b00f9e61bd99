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
  /** The index has one thread: another that waits for it must not hold a place meanwhile. */
  let isIndexing = false;

  const take = (kind: 'read' | 'index'): Waiting | undefined => {
    if (kind === 'index' && isIndexing) return undefined;
    const one = waiting[kind].shift();
    if (one !== undefined) begin(kind, one);
    return one;
  };

  const begin = (kind: 'read' | 'index', one: Waiting): void => {
    busy++;
    if (kind === 'index') isIndexing = true;
    one.begin();
  };

  const fill = (): void => {
    while (busy < cores) {
      const [index] = waiting.index;
      const isDue = index !== undefined && performance.now() - index.since >= gatherMilliseconds;
      const next = isDue ? (take('index') ?? take('read')) : (take('read') ?? take('index'));
      if (next === undefined) return;
    }
  };

  const goRegardless = (kind: 'read' | 'index', one: Waiting): void => {
    const at = waiting[kind].indexOf(one);
    if (at < 0 || (kind === 'index' && isIndexing)) return;
    waiting[kind].splice(at, 1);
    begin(kind, one);
  };

  return {
    async run(kind, work) {
      const turn = Promise.withResolvers<void>();
      const one: Waiting = { since: performance.now(), begin: turn.resolve };
      waiting[kind].push(one);
      fill();
      const impatience = setInterval(() => goRegardless(kind, one), patienceMilliseconds);
      await turn.promise;
      clearInterval(impatience);
      try {
        return await work();
      } finally {
        busy--;
        if (kind === 'index') isIndexing = false;
        fill();
      }
    },
  };
}
