import Type, { type Static } from 'typebox';
import { Maybe, OneOf } from './schema.ts';

/** How many results a search may bring, and brings unless told. */
export const mostResults = 50;
export const usualResults = 10;

export const RankingOptions = Type.Object({
  ranker: Maybe(OneOf('none', 'auto', 'default-2024-11-15')),
  score_threshold: Maybe(Type.Number({ minimum: 0, maximum: 1 })),
  hybrid_search: Maybe(
    Type.Object({
      embedding_weight: Type.Number({ minimum: 0 }),
      text_weight: Type.Number({ minimum: 0 }),
    }),
  ),
});
export type RankingOptions = Static<typeof RankingOptions>;
