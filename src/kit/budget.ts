import type { ExpressionBuilder, Kysely } from 'kysely';
import { type ApiError, apiError } from '../errors.ts';

/** A bound on what callers can make more of. */
export interface Budget {
  /** Its name in the configuration: `limits.NAME`. */
  name: string;
  most: number;
  /** Of what: `agents`; whose: `project`. */
  noun: string;
  whose: string;
  table: string;
  /** The columns that say whose a row is. An index begins with them. */
  per: readonly string[];
  /** Rows that count, where not all do. */
  only?: readonly [column: string, is: '=' | '!=', value: string | number];
  /** The column that is added up, where it is not rows that count. */
  sum?: string;
  /** Whether there are too many rows to be counted for a look at the figures; then the most seen by a write is told. */
  isLarge?: boolean;
  seen?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: any table of any family.
type AnyDatabase = Kysely<any>;

const amountAs = (
  { sum }: Budget,
  { fn }: Pick<ExpressionBuilder<Record<string, Record<string, number>>, string>, 'fn'>,
) => (sum === undefined ? fn.countAll<number>() : fn.sum<number>(sum)).as('used');

/** Throws `quota_exceeded` when so much more is too much. To be called in the transaction that writes it. */
export async function requireRoom(
  budget: Budget,
  on: AnyDatabase,
  whose: readonly string[],
  more = 1,
): Promise<void> {
  const after = (await amount(budget, on, whose)) + more;
  if (after > budget.most) throw quotaExceeded(budget);
  budget.seen = Math.max(budget.seen ?? 0, after);
}

async function amount(budget: Budget, on: AnyDatabase, whose: readonly string[]): Promise<number> {
  const { table, per, only } = budget;
  let query = on.selectFrom(table);
  for (const [i, column] of per.entries()) query = query.where(column, '=', whose[i]);
  if (only !== undefined) query = query.where(only[0], only[1], only[2]);
  const { used } = await query.select((select) => [amountAs(budget, select)]).executeTakeFirstOrThrow();
  return Number(used ?? 0);
}

/** Room in a budget whose rows are too many to be counted for each that comes. */
export interface CountedRoom {
  /** As `requireRoom`, for one row more. */
  require(on: AnyDatabase, whose: readonly string[]): Promise<void>;
  /** There may be room where there was none. */
  freed(): void;
}

const recountMilliseconds = 1000;

/**
 * Rows are counted once, then those that come are added up. What has gone since, or was not written in the end, is seen
 * by the next count: when all seems used up.
 */
export function countedRoom(budget: Budget, now: () => number = () => performance.now()): CountedRoom {
  const used = new Map<string, number>();
  const fullAt = new Map<string, number>();
  return {
    async require(on, whose) {
      const key = JSON.stringify(whose);
      const full = fullAt.get(key);
      if (full !== undefined && now() - full < recountMilliseconds) throw quotaExceeded(budget);
      let before = used.get(key) ?? budget.most;
      if (before >= budget.most) before = await amount(budget, on, whose);
      if (before >= budget.most) {
        fullAt.set(key, now());
        throw quotaExceeded(budget);
      }
      fullAt.delete(key);
      used.set(key, before + 1);
      budget.seen = Math.max(budget.seen ?? 0, before + 1);
    },
    freed: () => fullAt.clear(),
  };
}

export const quotaExceeded = ({
  name,
  most,
  noun,
  whose,
}: Pick<Budget, 'name' | 'most' | 'noun' | 'whose'>): ApiError =>
  apiError(
    'quota_exceeded',
    `A ${whose} has ${most} ${noun} at most (limits.${name}). Delete what is no longer needed, or have the limit raised.`,
    { target: `limits.${name}`, retry: false },
  );

/** What whoever has most of it has. */
export async function mostUsed(budget: Budget, on: AnyDatabase): Promise<number> {
  const { table, per, only, isLarge, seen } = budget;
  if (isLarge) return seen ?? 0;
  let query = on.selectFrom(table).groupBy(per as string[]);
  if (only !== undefined) query = query.where(only[0], only[1], only[2]);
  const found = await query
    .select((select) => [amountAs(budget, select)])
    .orderBy('used', 'desc')
    .limit(1)
    .executeTakeFirst();
  return Number(found?.used ?? 0);
}
