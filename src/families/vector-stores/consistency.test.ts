import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { SearchIndex } from '../../providers/search/search-index.ts';
import { memoryIndex } from '../testing/memory-index.ts';
import { askingOf, storeApp } from '../testing/store-app.ts';
import type { WholeApp } from '../testing/whole-app.ts';

const base = '/openai/v1/vector_stores';
const at = fc.nat({ max: 3 });
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('attach' as const),
      store: fc.nat({ max: 1 }),
      file: at,
      mark: at,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('detach' as const), store: fc.nat({ max: 1 }), file: at }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('mark' as const), store: fc.nat({ max: 1 }), file: at, mark: at }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('batch' as const),
      store: fc.nat({ max: 1 }),
      cancel: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), file: at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), store: fc.nat({ max: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), milliseconds: fc.nat({ max: 15 }) }),
  },
);

/** An index whose changes take a while, and fail now and then. */
function unsteadyIndex(chances: Iterator<number>) {
  const index = memoryIndex();
  const unsteady = async <T>(run: () => Promise<T>): Promise<T> => {
    const chance = chances.next().value ?? 0;
    await setTimeout(chance % 4);
    if (chance % 7 === 0) throw new Error('The disk is full.');
    const result = await run();
    await setTimeout(chance % 3);
    return result;
  };
  const changes: Pick<SearchIndex, 'put' | 'putAll' | 'setAttributes' | 'removeFile' | 'removeCollection'> = {
    put: (...given) => unsteady(() => index.put(...given)),
    putAll: (...given) => unsteady(() => index.putAll(...given)),
    setAttributes: (...given) => unsteady(() => index.setAttributes(...given)),
    removeFile: (...given) => unsteady(() => index.removeFile(...given)),
    removeCollection: (...given) => unsteady(() => index.removeCollection(...given)),
  };
  return { ...index, ...changes };
}

function* cycle(chances: number[]): Generator<number> {
  for (let n = 0; ; n++) yield chances[n % chances.length] ?? 1;
}

test('whatever is done, in the end the index holds what the rows say', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 25 }),
      fc.array(fc.nat({ max: 50 }), { minLength: 5, maxLength: 20 }),
      async (steps, chances) => {
        const index = unsteadyIndex(cycle([...chances, 1]));
        const app = await storeApp({
          parts: { index },
          before: () => setTimeout((chances[0] ?? 0) % 5),
        });
        let current: WholeApp = app;
        const opened: WholeApp[] = [];
        const files = Array.from({ length: 4 }, (_, n) => app.files.add(`${n}.txt`, `Text ${n}.`));
        const stores = [await app.store(), await app.store()];
        const call: WholeApp['call'] = (...given) => current.call(...given);
        try {
          for (const one of steps) {
            const path = 'store' in one ? `${base}/${stores[one.store]}` : base;
            const file = 'file' in one ? files[one.file] : undefined;
            if (one.do === 'attach') {
              const attributes = { mark: one.mark };
              await call('POST', `${path}/files`, { file_id: file, attributes });
            } else if (one.do === 'detach') await call('DELETE', `${path}/files/${file}`);
            else if (one.do === 'mark') {
              await call('POST', `${path}/files/${file}`, { attributes: { mark: one.mark } });
            } else if (one.do === 'batch') {
              const { json } = await call('POST', `${path}/file_batches`, { file_ids: files });
              if (one.cancel) await call('POST', `${path}/file_batches/${json.id}/cancel`);
            } else if (one.do === 'remove') {
              await app.files.remove(file ?? '');
              files[one.file] = app.files.add(`${one.file}.txt`, `Text ${one.file}.`);
            } else if (one.do === 'delete') {
              await call('DELETE', path);
              stores[one.store] = await askingOf(current).store();
            } else if (one.do === 'restart') {
              await current.drain(1000);
              current = await current.restart();
              opened.push(current);
            } else await setTimeout(one.milliseconds);
          }
          await vi.waitFor(
            async () => {
              // Has the house kept, as time does.
              await call('DELETE', `${base}/${await askingOf(current).store()}`);
              for (const id of stores) {
                const { data } = (await call('GET', `${base}/${id}/files?limit=100`)).json as {
                  data: { id: string; status: string; attributes: object }[];
                };
                expect(data.filter(({ status }) => status === 'in_progress')).toEqual([]);
                const completed = data.filter(({ status }) => status === 'completed');
                expect(index.held(id).sort()).toEqual(completed.map((one) => one.id).sort());
                const found = (await call('POST', `${base}/${id}/search`, { query: 'text' })).json.data as {
                  file_id: string;
                  attributes: object;
                }[];
                const marks = (list: [string, object][]) => Object.fromEntries(list);
                expect(marks(found.map((hit) => [hit.file_id, hit.attributes]))).toEqual(
                  marks(completed.map((one) => [one.id, one.attributes])),
                );
              }
            },
            { timeout: 25_000, interval: 50 },
          );
        } finally {
          for (const one of opened.reverse()) await one.close();
          await app.close();
        }
      },
    ),
    { numRuns: Number(process.env.BLOOMERY_RUNS ?? 15) },
  );
}, 180_000);
