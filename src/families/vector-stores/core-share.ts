/**
 * The cores that taking documents in may keep busy: reading, embedding by the builtin model, and indexing. The others
 * are left to those who answer requests.
 */
export interface CoreShare {
  run<T>(kind: Kind, work: () => Promise<T>): Promise<T>;
}

type Kind = 'read' | 'embed' | 'index';

/** Another one would only wait for the same thread, and must not hold a place meanwhile. */
const oneAtATime: readonly Kind[] = ['embed', 'index'];

/** What has been read meanwhile is put into the index together, which is less work. */
const gatherMilliseconds = 250;
/** Who has waited for so long goes on beside the others: a document that takes a minute holds up no other. */
const patienceMilliseconds = 1000;

interface Waiting {
  since: number;
  begin(): void;
}

export function createCoreShare(cores: number): CoreShare {
  const waiting: Record<Kind, Waiting[]> = { read: [], embed: [], index: [] };
  const busy: Record<Kind, number> = { read: 0, embed: 0, index: 0 };

  const mayBegin = (kind: Kind): boolean => !oneAtATime.includes(kind) || busy[kind] === 0;

  const begin = (kind: Kind, one: Waiting): void => {
    busy[kind]++;
    one.begin();
  };

  const isImpatient = (one: Waiting | undefined): boolean =>
    one !== undefined && performance.now() - one.since >= patienceMilliseconds;

  const take = (kind: Kind): boolean => {
    const one = mayBegin(kind) ? waiting[kind].shift() : undefined;
    if (one !== undefined) begin(kind, one);
    return one !== undefined;
  };

  const fill = (): void => {
    while (busy.read + busy.embed + busy.index < cores) {
      const [index] = waiting.index;
      const isDue = index !== undefined && performance.now() - index.since >= gatherMilliseconds;
      const order: Kind[] = isDue ? ['index', 'embed', 'read'] : ['embed', 'read', 'index'];
      if (!order.some(take)) break;
    }
    for (const kind of oneAtATime) if (isImpatient(waiting[kind][0])) take(kind);
  };

  const goRegardless = (kind: Kind, one: Waiting): void => {
    const at = waiting[kind].indexOf(one);
    if (at < 0 || !mayBegin(kind)) return;
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
        busy[kind]--;
        fill();
      }
    },
  };
}
