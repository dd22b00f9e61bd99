import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openDatabaseToLook } from '../../storage/database.ts';
import { migrations } from '../index.ts';
import { projectTables } from '../project-tables.ts';
import { agent, furnished } from './testing/furnished.ts';
import { projectApp } from './testing/project-app.ts';

test('a fork that was changed in every way has after a reset the very rows of a fork made just then', async () => {
  const app = await projectApp();
  const is = await furnished(app, 'default');
  await app.admin('POST', '/projects/default:fork', { name: 'worn' });
  const worn = app.in('worn');
  const said = { items: [{ role: 'user', content: 'And?' }] };
  await worn('POST', `/v1/conversations/${is.conversation}/items`, said);
  const items = (await worn('GET', `/v1/conversations/${is.conversation}/items`)).json.data as {
    id: string;
  }[];
  await worn('DELETE', `/v1/conversations/${is.conversation}/items/${items.at(-1)?.id}`);
  await worn('POST', '/v1/conversations', said);
  await worn('POST', '/agents/helper/versions', agent('third-model'));
  await worn('DELETE', '/agents/helper/versions/1');
  await worn('POST', '/agents/another/versions', agent('my-model'));
  await worn('DELETE', `/v1/responses/${is.response}`);
  await worn('POST', '/v1/responses', { model: 'my-model', input: 'c' });
  await worn('POST', `/v1/chat/completions/${is.completion}`, { metadata: { a: 'c' } });
  await worn('DELETE', '/connections/search');
  await worn('DELETE', `/v1/files/${is.file}`);
  await app.upload('worn', 'b.txt', 'fig');
  await worn('POST', `/v1/vector_stores/${is.store}`, { name: 'renamed' });
  // What the origin has by then counts, not what it had.
  await app.in('default')('POST', `/v1/conversations/${is.conversation}/items`, said);

  expect((await app.admin('POST', '/projects/worn:reset')).status).toBe(200);
  await app.admin('POST', '/projects/default:fork', { name: 'fresh' });
  const look = await openDatabaseToLook(app.directory, migrations);
  const kept = projectTables.filter(({ rows }) => rows === 'kept');
  let compared = 0;
  for (const { table, key = [], counts = {}, countedWithin } of kept) {
    const order = sql.join(key.map((name) => sql.ref(name)));
    const rowsOf = async (project: string) => {
      const { rows } = await sql<
        Record<string, unknown>
      >`select * from ${sql.table(table)} where project = ${project} order by ${order}`.execute(look);
      compared += rows.length;
      // A number that counts through all projects is each project's own.
      const own = counts.seq !== undefined && countedWithin === undefined ? ['project', 'seq'] : ['project'];
      return rows.map((row) =>
        Object.fromEntries(Object.entries(row).filter(([name]) => !own.includes(name))),
      );
    };
    expect(await rowsOf('worn'), table).toEqual(await rowsOf('fresh'));
  }
  expect(compared).toBeGreaterThan(20);
  await look.destroy();
  await app.close();
});
