import { expect, test } from 'vitest';
import { azurePage } from './azure-page.ts';
import type { Context } from './context.ts';

const ctx = { projectUrl: 'https://host:1/api/projects/p', apiVersion: 'v1' } as Context;
const elements = (names: string[]) => names.map((name) => ({ key: name, value: name.toUpperCase() }));

/** Follows `nextLink` as a client does: verbatim. */
const follow = (link: string) => {
  const { searchParams } = new URL(link);
  return Object.fromEntries(searchParams) as Record<string, string> & { skipToken?: string };
};

test('everything that fits is one page', () => {
  expect(azurePage(ctx, '/things', {}, elements(['b', 'a']))).toEqual({ value: ['A', 'B'] });
});

test('nextLink is absolute, keeps the query and leads on, whatever comes and goes between', () => {
  const first = azurePage(ctx, '/things', { kind: 'x y' }, elements(['a', 'b', 'c', 'd']), 2);
  expect(first.value).toEqual(['A', 'B']);
  expect(first.nextLink).toMatch(/^https:\/\/host:1\/api\/projects\/p\/things\?/);
  const query = follow(first.nextLink ?? '');
  expect(query).toMatchObject({ kind: 'x y', 'api-version': 'v1' });
  const second = azurePage(ctx, '/things', query, elements(['aa', 'c', 'd', 'e']), 2);
  expect(second.value).toEqual(['C', 'D']);
  expect(azurePage(ctx, '/things', follow(second.nextLink ?? ''), elements(['aa', 'e']), 2)).toEqual({
    value: ['E'],
  });
});

test('a token that was tampered with is refused', () => {
  expect(() => azurePage(ctx, '/things', { skipToken: '§' }, [])).toThrow(
    expect.objectContaining({ code: 'invalid_parameter', target: 'skipToken' }),
  );
});
