import { describe, expect, test } from 'vitest';
import { nextOf } from './pages.ts';
import { endpoint, json, scriptedService } from './testing/scripted-service.ts';

const agents = (from: number, has_more: boolean) => ({
  data: [{ name: `a${from}` }, { name: `a${from + 1}` }],
  first_id: `a${from}`,
  last_id: `a${from + 1}`,
  has_more,
});

describe('all pages', () => {
  test('by cursor: the query stays, `after` moves on', async () => {
    const { client, received } = scriptedService([json(agents(1, true)), json(agents(3, false))]);
    const found = await Array.fromAsync(client.agents.list.all({ query: { limit: 2, kind: 'prompt' } }));
    expect(found.map(({ name }) => name)).toEqual(['a1', 'a2', 'a3', 'a4']);
    expect(received.map(({ url }) => url)).toEqual([
      `${endpoint}/agents?limit=2&kind=prompt&api-version=v1`,
      `${endpoint}/agents?limit=2&kind=prompt&api-version=v1&after=a2`,
    ]);
  });

  test('by link: to the letter, with the key at home and without it elsewhere', async () => {
    const home = `${endpoint}/datasets?skipToken=a%2fb+c&x=%7E&api-version=2025-05-01&&`;
    const away = 'https://elsewhere.test/page?sig=a%2Bb';
    const { client, received } = scriptedService([
      json({ value: [{ name: 'd1' }], nextLink: home }),
      json({ value: [], nextLink: away }),
      json({ value: [{ name: 'd2' }], nextLink: null }),
    ]);
    const found = await Array.fromAsync(client.datasets.list.all({}, { headers: { 'x-secret': 's' } }));
    expect(found).toHaveLength(2);
    expect(received.slice(1).map(({ url }) => url)).toEqual([home, away]);
    const sent = (name: string) => received.map(({ headers }) => headers.get(name));
    expect([sent('api-key'), sent('x-secret')]).toEqual([
      ['k', 'k', null],
      ['s', 's', null],
    ]);
  });

  test('a page that fails in passing is asked for again, and none is lost', async () => {
    const { client } = scriptedService([json(agents(1, true)), json({}, 503), json(agents(3, false))]);
    expect(await Array.fromAsync(client.agents.list.all())).toHaveLength(4);
  });

  test('who leaves early asks for no more', async () => {
    const { client, received } = scriptedService([json(agents(1, true))]);
    for await (const { name } of client.agents.list.all()) if (name === 'a2') break;
    expect(received).toHaveLength(1);
  });

  test('that lead back, or nowhere, end with an error', async () => {
    const circle = scriptedService([json({ value: [], nextLink: `${endpoint}/datasets?api-version=v1` })]);
    await expect(Array.fromAsync(circle.client.datasets.list.all())).rejects.toThrow('do not come to an end');
    const nowhere = scriptedService([json({ data: [], has_more: true, last_id: null })]);
    await expect(Array.fromAsync(nowhere.client.agents.list.all())).rejects.toThrow('does not say where');
  });
});

test.each([
  ['?before=x', { has_more: true, first_id: 'f', last_id: 'l' }, '?before=f'],
  ['?before=x&after=y', { has_more: true, first_id: 'f', last_id: 'l' }, '?before=x&after=l'],
  ['?a=1', { has_more: false, last_id: 'l' }, null],
  ['?a=1', { entries: [1], has_more: true, last_id: 'l' }, '?a=1&after=l'],
  ['', { data: [], next_link: 'https://h/next' }, 'https://h/next'],
  ['?a=1', { items: [], continuationToken: 'c d' }, '?a=1&continuationToken=c+d'],
  ['?top=2&skip=0', { value: [1, 2] }, '?top=2&skip=2'],
  ['?top=2&skip=2', { value: [1] }, null],
  ['?top=2', { value: [1, 2] }, null],
])('behind %j with %j comes %j', (query, page, next) => {
  const found = nextOf(page, `https://h/list${query}`)?.url ?? null;
  expect(found).toBe(next === null || next.startsWith('https:') ? next : `https://h/list${next}`);
});
