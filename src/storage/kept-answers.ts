/** Answers to requests that may be repeated, sealed: they hold what the request's maker was told, secrets included. */
import { apiError } from '../errors.ts';
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
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .addPrimaryKeyConstraint('kept_answers_id', ['project', 'caller', 'id'])
        .execute();
      await db.schema.createIndex('kept_answers_age').on('kept_answers').column('created_at').execute();
      // What an answer shows: it goes with any of it.
      await db.schema
        .createTable('kept_answer_resources')
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('resource', 'text', (c) => c.notNull())
        .addColumn('caller', 'text', (c) => c.notNull())
        .addColumn('id', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('kept_answer_resources_pk', ['project', 'resource', 'caller', 'id'])
        .execute();
      await db.schema
        .createIndex('kept_answer_resources_answer')
        .on('kept_answer_resources')
        .columns(['project', 'caller', 'id'])
        .execute();
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
    /** Unix seconds. */
    created_at: number;
  };
  kept_answer_resources: { project: string; resource: string; caller: string; id: string };
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
  /** Answers of one project that are kept at most; one more is refused, since none may be forgotten before its time. */
  most: number;
  /** Milliseconds, as `Date.now`. */
  now?: () => number;
}

const purpose = 'kept answer';

export type KeptAnswerStore = ReturnType<typeof keptAnswerStore>;

export function keptAnswerStore(
  database: Database,
  { sealer, seconds, most, now = Date.now }: KeptAnswerOptions,
) {
  const db = database.withTables<Tables>();
  /** By project; nothing is counted twice, and what went by other ways is noticed by the next sweep. */
  let counts = new Map<string, number>();
  const unix = (): number => Math.floor(now() / 1000);
  const countOf = (project: string): number => counts.get(project) ?? 0;
  const of = ({ project, caller, id }: AnswerKey) => ({ project, caller, id });

  async function recount(): Promise<void> {
    const rows = await db
      .selectFrom('kept_answers')
      .select((row) => ['project', row.fn.countAll<number>().as('kept')])
      .groupBy('project')
      .execute();
    counts = new Map(rows.map(({ project, kept }) => [project, Number(kept)]));
  }

  const dropOrphans = (on: Database) =>
    on
      .withTables<Tables>()
      .deleteFrom('kept_answer_resources as shown')
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom('kept_answers as answer')
              .select('answer.id')
              .whereRef('answer.project', '=', 'shown.project')
              .whereRef('answer.caller', '=', 'shown.caller')
              .whereRef('answer.id', '=', 'shown.id'),
          ),
        ),
      )
      .execute();

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
      await dropOrphans(database);
      await recount();
    },

    async claim(key: AnswerKey, fingerprint: string) {
      const row = await db
        .selectFrom('kept_answers')
        .selectAll()
        .where((one) => one.and(of(key)))
        .executeTakeFirst();
      if (row !== undefined) {
        const text = row.answer === null ? null : sealer.open(row.answer, purpose, key.project);
        const answer = text === null ? ('interrupted' as const) : (JSON.parse(text) as StoredAnswer);
        return { fingerprint: row.fingerprint, answer };
      }
      if (countOf(key.project) >= most) throw full(most);
      counts.set(key.project, countOf(key.project) + 1);
      await db
        .insertInto('kept_answers')
        .values({ ...of(key), fingerprint, state: 'running', answer: null, created_at: unix() })
        .execute();
      return null;
    },

    async keep(
      key: AnswerKey,
      fingerprint: string,
      answer: StoredAnswer,
      resources: readonly string[],
    ): Promise<void> {
      const sealed = sealer.seal(JSON.stringify(answer), purpose, key.project);
      await database.transaction().execute(async (on) => {
        const trx = on.withTables<Tables>();
        await trx
          .updateTable('kept_answers')
          .set({ state: 'answered', fingerprint, answer: sealed })
          .where((row) => row.and(of(key)))
          .execute();
        for (const resource of new Set(resources)) {
          await trx
            .insertInto('kept_answer_resources')
            .values({ ...of(key), resource })
            .execute();
        }
      });
    },

    async release(key: AnswerKey): Promise<void> {
      await db
        .deleteFrom('kept_answers')
        .where((row) => row.and(of(key)))
        .execute();
      counts.set(key.project, Math.max(0, countOf(key.project) - 1));
    },

    async clear(): Promise<void> {
      await db.deleteFrom('kept_answers').execute();
      await db.deleteFrom('kept_answer_resources').execute();
      counts.clear();
    },

    async forget(project: string, resources: string[]): Promise<void> {
      if (countOf(project) === 0 || resources.length === 0) return;
      await database.transaction().execute(async (on) => {
        const trx = on.withTables<Tables>();
        const shown = await trx
          .selectFrom('kept_answer_resources')
          .select(['caller', 'id'])
          .where('project', '=', project)
          .where('resource', 'in', resources)
          .execute();
        for (const { caller, id } of shown) {
          const answer = { project, caller, id };
          await trx
            .deleteFrom('kept_answers')
            .where((row) => row.and(answer))
            .execute();
          await trx
            .deleteFrom('kept_answer_resources')
            .where((row) => row.and(answer))
            .execute();
        }
      });
    },
  };
}

const full = (most: number) =>
  apiError(
    'quota_exceeded',
    `The project has ${most} requests with ids whose answers are kept (limits.keptAnswers). Send this one without, or wait until they are old enough (limits.keptAnswerHours).`,
  );
