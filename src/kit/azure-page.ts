import Type, { type TSchema } from 'typebox';
import { invalidParameter } from '../errors.ts';
import type { Context } from './context.ts';

/** Azure pages: `value` and, while there is more, an absolute `nextLink` that works when followed verbatim. */
export const AzurePage = <T extends TSchema>(item: T) =>
  Type.Object({ value: Type.Array(item), nextLink: Type.Optional(Type.String()) });

/** Undocumented by design: clients get it inside `nextLink` and send it back untouched. */
export const azurePageQuery = { skipToken: Type.Optional(Type.String()) };

const pageSize = 100;

interface Element<T> {
  /** Sorts it, and never changes. */
  key: string;
  value: T;
}

type PageQuery = Record<string, unknown> & { skipToken?: string };

/**
 * One page of elements that have a stable, sorted key. The token carries the key of the last element seen, so
 * that inserts and deletes between two pages neither repeat nor lose anything.
 */
export function azurePage<T>(
  ctx: Context,
  path: string,
  query: PageQuery,
  elements: Element<T>[],
  size = pageSize,
): { value: T[]; nextLink?: string } {
  const from = positionOf(query);
  const sorted = elements
    .filter(({ key }) => from === null || key > from)
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return pageOf(ctx, path, query, sorted, size);
}

/** The same of elements that are read in their order: `read` is given the key they stand behind, and how many at most. */
export async function readAzurePage<T>(
  ctx: Context,
  path: string,
  query: PageQuery,
  read: (behind: string | null, most: number) => Promise<Element<T>[]>,
): Promise<{ value: T[]; nextLink?: string }> {
  return pageOf(ctx, path, query, await read(positionOf(query), pageSize + 1), pageSize);
}

const positionOf = ({ skipToken }: PageQuery): string | null =>
  skipToken === undefined ? null : decode(skipToken);

function pageOf<T>(ctx: Context, path: string, query: PageQuery, found: Element<T>[], size: number) {
  const page = found.slice(0, size);
  const value = page.map((element) => element.value);
  const last = page.at(-1);
  if (last === undefined || found.length <= size) return { value };
  const next = new URLSearchParams();
  for (const [name, given] of Object.entries(query)) {
    if (name !== 'skipToken' && given !== undefined) next.set(name, String(given));
  }
  next.set('api-version', ctx.apiVersion);
  next.set('skipToken', Buffer.from(last.key).toString('base64url'));
  return { value, nextLink: `${ctx.projectUrl}${path}?${next}` };
}

function decode(token: string): string {
  const key = Buffer.from(token, 'base64url').toString();
  if (Buffer.from(key).toString('base64url') !== token) {
    throw invalidParameter('skipToken', 'Invalid continuation token: follow nextLink as it was returned.');
  }
  return key;
}
