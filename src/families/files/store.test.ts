import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../storage/database.ts';
import { migrations } from '../index.ts';
import { fileBudgets, fileStore } from './store.ts';

test('says where the first id stands that is of no file', async () => {
  const database = await openDatabase(mkdtempSync(join(tmpdir(), 'bloomery-test-')), migrations);
  const store = fileStore(database, fileBudgets({ projectFiles: 1000, projectFilesBytes: 1000 }));
  const ids = Array.from({ length: 150 }, (_, i) => `file_${i}`);
  await database.transaction().execute(async (on) => {
    for (const id of ids) {
      await store.add(
        {
          ...{ id, project: 'one', content: id, filename: 'a.txt', bytes: 1, purpose: 'assistants' },
          ...{ media_type: 'text/plain', sha256: '', created_at: 1, expires_at: id === 'file_7' ? 50 : null },
        },
        on,
      );
    }
  });
  const first = (asked: string[], now = 1, project = 'one') => store.firstMissing(project, asked, now);
  expect(await first(ids)).toBeNull();
  expect(await first(ids, 50)).toBe(7);
  expect(await first(ids, 1, 'two')).toBe(0);
  expect(await first([])).toBeNull();
  for (const strange of ['file', '', '1', '\ud800', 'file_1\0', '"', '\u2028']) {
    expect(await first(ids.with(120, strange))).toBe(120);
  }
  await database.destroy();
});
