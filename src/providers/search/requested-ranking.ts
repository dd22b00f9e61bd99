import { invalidPayload } from '../../errors.ts';
import type { RankingOptions } from '../../kit/ranking-options.ts';
import type { SearchQuery } from './search-index.ts';

export type Ranking = Pick<SearchQuery, 'weights' | 'scoreThreshold'>;

/** Both halves alike unless weights are given; the ranker `none` leaves it to the embeddings alone. */
export function rankingOf(options: RankingOptions | null | undefined, target: string): Ranking {
  const hybrid = options?.hybrid_search;
  if (hybrid && hybrid.embedding_weight + hybrid.text_weight === 0) {
    throw invalidPayload(`${target}.hybrid_search`, 'One of the two weights must be above zero.');
  }
  return {
    weights: hybrid
      ? { embedding: hybrid.embedding_weight, text: hybrid.text_weight }
      : { embedding: 1, text: options?.ranker === 'none' ? 0 : 1 },
    scoreThreshold: options?.score_threshold ?? 0,
  };
}
