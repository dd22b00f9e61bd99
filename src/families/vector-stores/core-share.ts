/**
 * The cores that taking documents in may keep busy: reading, embedding by the builtin model, and indexing. The others
 * are left to those who answer requests.
 */
export interface CoreShare {
  run<T>(kind: Kind, work: () => Promise<T>): Promise<T>;
}

const kinds = ['read', 'embed', 'index'] as const;
type Kind = (typeof kinds)[number];

/** Another one would only wait for the same thread, and must not hold a place meanwhile. */
const oneAtATime: readonly Kind[] = ['embed', 'index'];

/** What has been read meanwhile is put into the index together, which is less work. */
const gatherMilliseconds = 250;
/** Who has waited for so long goes on beside the others: a document that takes a minute holds up no other. */
const patienceMilliseconds = 1000;

interface Waiting {
  since: number;
  isImpatient: boolean;
  begin(): void;
}

export function createCoreShare(cores: number): CoreShare {
  const waiting: Record<Kind, Waiting[]> = { read: [], embed: [], index: [] };
  const busy: Record<Kind, number> = { read: 0, embed: 0, index: 0 };

  const take = (kind: Kind): boolean => {
    if (oneAtATime.includes(kind) && busy[kind] > 0) return false;
    const one = waiting[kind].shift();
    if (one === undefined) return false;
    busy[kind]++;
    one.begin();
    return true;
  };

  const fill = (): void => {
    while (busy.read + busy.embed + busy.index < cores) {
      const [index] = waiting.index;
      const isDue = index !== undefined && performance.now() - index.since >= gatherMilliseconds;
      const order: Kind[] = isDue ? ['index', 'embed', 'read'] : ['embed', 'read', 'index'];
      if (!order.some(take)) break;
    }
    for (const kind of kinds) while (waiting[kind][0]?.isImpatient && take(kind));
  };

  return {
    async run(kind, work) {
      const turn = Promise.withResolvers<void>();
      const one: Waiting = { since: performance.now(), isImpatient: false, begin: turn.resolve };
      waiting[kind].push(one);
      fill();
      const impatience = setTimeout(() => {
        one.isImpatient = true;
        fill();
      }, patienceMilliseconds);
      await turn.promise;
      clearTimeout(impatience);
      try {
        return await work();
      } finally {
        busy[kind]--;
        fill();
      }
    },
  };
}
