/** Answers to requests that may be repeated, sealed: they hold what the request's maker was told, secrets included. */
import type { Sealer } from '../trust/sealing.ts';
import type { Database, Migrations } from './database.ts';

export const keptAnswerMigrations: Migrations = {
  '0012_kept_answers': {
    async up(db) {
      await db.schema
        .createTable('kept_answers')
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('caller', 'text', (c) => c.notNull())
        .addColumn('id', 'text', (c) => c.notNull())
        .addColumn('fingerprint', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('answer', 'text')
        .addColumn('resource', 'text')
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .addPrimaryKeyConstraint('kept_answers_id', ['project', 'caller', 'id'])
        .execute();
      await db.schema
        .createIndex('kept_answers_resource')
        .on('kept_answers')
        .columns(['project', 'resource'])
        .execute();
      await db.schema.createIndex('kept_answers_age').on('kept_answers').column('created_at').execute();
    },
  },
};

type Tables = {
  kept_answers: {
    project: string;
    caller: string;
    id: string;
    fingerprint: string;
    state: 'running' | 'answered' | 'interrupted';
    answer: string | null;
    resource: string | null;
    /** Unix seconds. */
    created_at: number;
  };
};

export interface AnswerKey {
  project: string;
  caller: string;
  id: string;
}

export interface StoredAnswer {
  status: number;
  headers: Record<string, string>;
  text: string | null;
  isStream: boolean;
}

export interface KeptAnswerOptions {
  sealer: Sealer;
  /** How long answers are kept. */
  seconds: number;
  /** Answers that are kept at most; the oldest go first. */
  most: number;
  /** Milliseconds, as `Date.now`. */
  now?: () => number;
}

const purpose = 'kept answer';
/** How many are removed at once when there are too many: making room for each one by itself would cost a query each. */
const room = 100;

export type KeptAnswerStore = ReturnType<typeof keptAnswerStore>;

export function keptAnswerStore(
  database: Database,
  { sealer, seconds, most, now = Date.now }: KeptAnswerOptions,
) {
  const db = database.withTables<Tables>();
  let count = 0;
  const unix = (): number => Math.floor(now() / 1000);

  const of = ({ project, caller, id }: AnswerKey) => ({ project, caller, id });

  async function recount(): Promise<void> {
    const { rows } = await db
      .selectFrom('kept_answers')
      .select((row) => row.fn.countAll<number>().as('rows'))
      .executeTakeFirstOrThrow();
    count = Number(rows);
  }

  async function removeOldest(): Promise<void> {
    const oldest = db.selectFrom('kept_answers').select('created_at').where('state', '!=', 'running');
    const edge = await oldest.orderBy('created_at').offset(room).limit(1).executeTakeFirst();
    if (edge === undefined) return;
    await db
      .deleteFrom('kept_answers')
      .where('state', '!=', 'running')
      .where('created_at', '<=', edge.created_at)
      .execute();
    await recount();
  }

  return {
    /** What was under way when the server was killed has an end that nobody knows. */
    async start(): Promise<void> {
      await db
        .updateTable('kept_answers')
        .set({ state: 'interrupted' })
        .where('state', '=', 'running')
        .execute();
      await recount();
    },

    async sweep(): Promise<void> {
      await db
        .deleteFrom('kept_answers')
        .where('created_at', '<', unix() - seconds)
        .where('state', '!=', 'running')
        .execute();
      await recount();
    },

    async claim(key: AnswerKey, fingerprint: string) {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('kept_answers')
        .values({
          ...of(key),
          fingerprint,
          state: 'running',
          answer: null,
          resource: null,
          created_at: unix(),
        })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      if (numInsertedOrUpdatedRows === 1n) {
        count++;
        if (count > most) await removeOldest();
        return null;
      }
      const row = await db
        .selectFrom('kept_answers')
        .selectAll()
        .where((row) => row.and(of(key)))
        .executeTakeFirst();
      if (row === undefined) return { fingerprint, answer: 'interrupted' as const };
      const text = row.answer === null ? null : sealer.open(row.answer, purpose, key.project);
      const answer = text === null ? ('interrupted' as const) : (JSON.parse(text) as StoredAnswer);
      return { fingerprint: row.fingerprint, answer };
    },

    async keep(key: AnswerKey, answer: StoredAnswer, resource: string | null): Promise<void> {
      await db
        .updateTable('kept_answers')
        .set({
          state: 'answered',
          answer: sealer.seal(JSON.stringify(answer), purpose, key.project),
          resource,
        })
        .where((row) => row.and(of(key)))
        .execute();
    },

    async release(key: AnswerKey): Promise<void> {
      await db
        .deleteFrom('kept_answers')
        .where((row) => row.and(of(key)))
        .execute();
      count--;
    },

    async clear(): Promise<void> {
      await db.deleteFrom('kept_answers').execute();
      count = 0;
    },

    async forget(project: string, resources: string[]): Promise<void> {
      if (count <= 0 || resources.length === 0) return;
      await db
        .deleteFrom('kept_answers')
        .where('project', '=', project)
        .where('resource', 'in', resources)
        .execute();
    },
  };
}
