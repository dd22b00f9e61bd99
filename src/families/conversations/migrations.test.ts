import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openDatabase } from '../../storage/database.ts';
import { migrations } from '../index.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp | undefined;
afterEach(async () => app?.close());

// biome-ignore lint/suspicious/noExplicitAny: rows of tables as they once were.
type Old = any;
const id = (digit: string): string => `conv_${digit.repeat(46)}`;

test('conversations of before belong to the agent that answered last, and items keep their order', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const before = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '0030'));
  const database = await openDatabase(directory, before);
  const db = database as Old;
  const conversation = (digit: string, agent: string | null) => ({
    ...{ project: 'default', id: id(digit), user_identity: '', created_at: 1, metadata: '{}' },
    ...{ agent_name: agent, agent_version: agent && '1' },
  });
  const of = { a: 'ada', b: 'bob', c: null };
  for (const [digit, agent] of Object.entries(of))
    await db.insertInto('conversations').values(conversation(digit, agent)).execute();
  // Counted through all conversations, as it was.
  for (const [n, digit] of [...'abab'].entries()) {
    const item = { id: `msg_${n}`, type: 'message', role: 'user', content: [] };
    await db
      .insertInto('conversation_items')
      .values({
        ...{ project: 'default', conversation_id: id(digit), id: item.id, type: item.type },
        item: n === 0 ? null : JSON.stringify(item),
      })
      .execute();
  }
  await database.destroy();

  app = await wholeApp({}, { directory });
  const { call } = app;
  const at = (agent: string, digit: string) =>
    call('GET', `/agents/${agent}/endpoint/protocols/openai/conversations/${id(digit)}?api-version=v1`);
  for (const name of ['ada', 'bob']) {
    const definition = { kind: 'prompt', model: 'm' };
    await call('POST', `/agents/${name}/versions?api-version=v1`, { definition });
  }
  expect([(await at('ada', 'a')).status, (await at('bob', 'b')).status]).toEqual([200, 200]);
  expect([(await at('bob', 'a')).status, (await at('ada', 'c')).status]).toEqual([404, 404]);

  const items = async (digit: string) => {
    const { json } = await call('GET', `/openai/v1/conversations/${id(digit)}/items?order=asc`);
    return (json.data as { id: string }[]).map((item) => item.id);
  };
  const added = await call('POST', `/openai/v1/conversations/${id('a')}/items`, {
    items: [{ role: 'user', content: 'More' }],
  });
  const { id: more } = (added.json.data as { id: string }[])[0] ?? { id: '' };
  expect([await items('a'), await items('b')]).toEqual([
    ['msg_2', more],
    ['msg_1', 'msg_3'],
  ]);
});
