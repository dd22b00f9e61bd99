import { expect, test } from 'vitest';
import { packTexts } from '../../providers/texts/packed-texts.ts';
import type { CoreShare } from './core-share.ts';
import { embedWith } from './embed.ts';
import { type TakeInParts, takeIn } from './take-in.ts';

const row = { project: 'p', store_id: 'vs', file_id: 'file', max_tokens: 800, overlap_tokens: 400 };
const texts = Array.from({ length: 100 }, (_, at) => `Text ${at}`);

/** What a file takes turns for while it is read and embedded. */
async function turnsOf(provider: string): Promise<string[]> {
  const turns: string[] = [];
  const models = {
    resolve: (name: string) => ({
      deployment: { name, provider },
      provider: {
        embed: async ({ inputs }: { inputs: string[] }) => ({ embeddings: inputs.map(() => [1, 0]) }),
      },
    }),
  };
  const cores: CoreShare = {
    run(kind, work) {
      turns.push(kind);
      return work();
    },
  };
  const parts = {
    cores,
    stores: { any: async () => ({ embeddings: provider }) },
    directory: { find: async () => ({ path: '/none', filename: 'a.txt' }) },
    documents: { chunks: async () => packTexts(texts) },
    embed: embedWith(models as never),
    isBuiltin: (name: string) => name === 'builtin',
    put: async ({ content }: { content: { vectors: unknown[] } }) => {
      turns.push(`${content.vectors.length} vectors`);
    },
  };
  await takeIn(parts as unknown as TakeInParts, row as never, new AbortController().signal, {
    vectors: [],
    onRead: async () => {},
  });
  return turns;
}

test('the builtin model takes its turn of the cores for some texts at a time', async () => {
  expect(await turnsOf('builtin')).toEqual(['read', 'embed', 'embed', '100 vectors']);
});

test('a deployment elsewhere embeds without one', async () => {
  expect(await turnsOf('openai')).toEqual(['read', '100 vectors']);
});
