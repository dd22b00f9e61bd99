import { expect, test } from 'vitest';
import { turns } from '../../kit/turns.ts';
import { createPutting, type PuttingParts, type ReadFile } from './putting.ts';
import { storeTurn } from './store-rows.ts';

test('while a file waits for a core, its store may be changed otherwise', async () => {
  const core = Promise.withResolvers<void>();
  const inTurn = turns();
  const done: string[] = [];
  const put = createPutting({
    inTurn,
    cores: { run: (_kind: string, work: () => Promise<void>) => core.promise.then(work) },
    files: {
      async claim() {
        done.push('put');
        return [];
      },
    },
  } as unknown as PuttingParts);
  const waiting = put({ row: { project: 'p', store_id: 'vs', key: 'k' }, bytes: 1 } as ReadFile);
  await inTurn(storeTurn({ project: 'p', id: 'vs' }), async () => {
    done.push('changed');
  });
  core.resolve();
  await waiting;
  expect(done).toEqual(['changed', 'put']);
});
