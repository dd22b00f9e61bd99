import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openDatabase } from '../storage/database.ts';
import { countedRoom } from './budget.ts';

test('rows that are counted once are never more than allowed, and room that is there is found', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const database = await openDatabase(directory, {});
  const db = database.withTables<{ things: { id: number; project: string } }>();
  await db.schema.createTable('things').addColumn('id', 'integer').addColumn('project', 'text').execute();
  const steps = fc.array(
    fc.tuple(fc.constantFrom('add', 'fail', 'delete', 'vanish'), fc.constantFrom('a', 'b')),
    { maxLength: 40 },
  );
  await fc.assert(
    fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (all, most) => {
      await db.deleteFrom('things').execute();
      await db.insertInto('things').values({ id: -1, project: 'a' }).execute();
      let now = 0;
      const budget = { name: 'x', most, noun: 'things', whose: 'project', table: 'things', per: ['project'] };
      const room = countedRoom(budget, () => now);
      for (const [id, [step, project]] of all.entries()) {
        now += 1000;
        const rows = await db.selectFrom('things').select('id').where('project', '=', project).execute();
        const first = rows[0]?.id ?? null;
        if (step === 'add' || step === 'fail') {
          const added = database
            .transaction()
            .execute(async (on) => {
              await room.require(on, [project]);
              if (step === 'fail') throw new Error('not written');
              await on
                .withTables<{ things: object }>()
                .insertInto('things')
                .values({ id, project })
                .execute();
            })
            .then(
              () => 'added',
              (error) => error.code ?? error.message,
            );
          const fits = step === 'fail' ? 'not written' : 'added';
          expect(await added).toBe(rows.length < most ? fits : 'quota_exceeded');
        } else if (first !== null) {
          await db.deleteFrom('things').where('id', '=', first).where('project', '=', project).execute();
          // Some rows go without anybody telling.
          if (step === 'delete') room.freed();
        }
      }
    }),
    { numRuns: 50 },
  );
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});

test('a full budget is counted once a second, or when something is told to have gone', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const database = await openDatabase(directory, {});
  const db = database.withTables<{ things: { project: string } }>();
  await db.schema.createTable('things').addColumn('project', 'text').execute();
  await db.insertInto('things').values({ project: 'a' }).execute();
  let now = 0;
  const budget = { name: 'x', most: 1, noun: 'things', whose: 'project', table: 'things', per: ['project'] };
  const room = countedRoom(budget, () => now);
  const ask = () =>
    room.require(db, ['a']).then(
      () => true,
      () => false,
    );
  expect(await ask()).toBe(false);
  await db.deleteFrom('things').execute();
  now = 999;
  expect(await ask()).toBe(false);
  now = 1000;
  expect(await ask()).toBe(true);
  await db.insertInto('things').values({ project: 'a' }).execute();
  expect(await ask()).toBe(false);
  await db.deleteFrom('things').execute();
  room.freed();
  expect(await ask()).toBe(true);
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});
