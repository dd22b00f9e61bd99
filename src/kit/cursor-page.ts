import Type, { type Static, type TSchema } from 'typebox';
import { invalidParameter } from '../errors.ts';
import { isId } from './ids.ts';
import { OneOf } from './schema.ts';

/**
 * Cursor pages: `limit`, `order`, `after`, `before` in; `data`, `first_id`, `last_id`, `has_more` out. Rows are
 * ordered by a position that never changes, so a page is not disturbed by what is inserted or deleted around it.
 */
export const cursorQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'Page size, 20 by default.' })),
  order: Type.Optional(OneOf('asc', 'desc')),
  after: Type.Optional(Type.String({ description: 'Id of the element the page follows.' })),
  before: Type.Optional(Type.String({ description: 'Id of the element the page precedes.' })),
};

export const CursorPage = <T extends TSchema>(item: T) =>
  Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(item),
    first_id: Type.Union([Type.String(), Type.Null()]),
    last_id: Type.Union([Type.String(), Type.Null()]),
    has_more: Type.Boolean(),
  });

const QueryObject = Type.Object(cursorQuery);
type CursorQuery = Static<typeof QueryObject>;

/** A request for rows: strictly between two positions, in one direction, at most `limit`. */
export interface Window<Position> {
  above: Position | null;
  below: Position | null;
  direction: 'asc' | 'desc';
  limit: number;
}

export interface CursorSource<Row, Position> {
  /** Where an element stands or stood, so that a cursor outlives its element; undefined for what can't be one. */
  position(id: string): Position | undefined | Promise<Position | undefined>;
  rows(window: Window<Position>): Promise<Row[]>;
}

const defaultLimit = 20;

/** Reads one page: `limit + 1` rows tell whether there are more, without counting. */
export async function cursorPage<Row, Position, T>(
  query: CursorQuery,
  source: CursorSource<Row, Position>,
  toWire: (row: Row) => T,
  idOf: (element: T) => string,
) {
  const limit = query.limit ?? defaultLimit;
  const order = query.order ?? 'desc';
  const after = await place('after', query.after, source);
  const before = await place('before', query.before, source);
  // Without `after`, the page before X is the one that ends right next to X: read backwards from X, then turn round.
  const backwards = before !== null && after === null;
  const direction = backwards ? opposite(order) : order;
  const [above, below] = order === 'asc' ? [after, before] : [before, after];
  const rows = await source.rows({ above, below, direction, limit: limit + 1 });
  const hasMore = rows.length > limit;
  if (hasMore) rows.pop();
  if (backwards) rows.reverse();
  const data = rows.map(toWire);
  const [first, last] = [data[0], data.at(-1)];
  return {
    object: 'list' as const,
    data,
    first_id: first === undefined ? null : idOf(first),
    last_id: last === undefined ? null : idOf(last),
    has_more: hasMore,
  };
}

const opposite = (order: 'asc' | 'desc') => (order === 'asc' ? 'desc' : 'asc');

async function place<Position>(
  name: 'after' | 'before',
  id: string | undefined,
  source: CursorSource<unknown, Position>,
) {
  if (id === undefined) return null;
  const position = await source.position(id);
  if (position === undefined)
    throw invalidParameter(name, `Invalid cursor: '${name}' names no element of this list.`);
  return position;
}

/** For lists ordered by id: ids ascend with time, so any well-formed id is a position, its element alive or not. */
export const idPosition = (prefix: string) => (id: string) => (isId(prefix, id) ? id : undefined);

/** A source over elements that are all in memory, in ascending order. */
export function arraySource<T>(elements: T[], idOf: (element: T) => string): CursorSource<T, number> {
  return {
    position: (id) => {
      const index = elements.findIndex((element) => idOf(element) === id);
      return index < 0 ? undefined : index;
    },
    rows: async ({ above, below, direction, limit }) => {
      const between = elements.slice(above === null ? 0 : above + 1, below ?? elements.length);
      return (direction === 'asc' ? between : between.reverse()).slice(0, limit);
    },
  };
}
