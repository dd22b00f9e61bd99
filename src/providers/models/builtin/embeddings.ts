import { invalidPayload } from '../../../errors.ts';
import { createWorkerLine } from '../../workers/worker-line.ts';
import type { EmbeddingRequest, EmbeddingResult } from '../model.ts';
import { countTextTokens } from '../token-count.ts';
import type { VectorCalls } from './vector-worker.ts';
import { vectorOf } from './vectors.ts';

export const defaultDimensions = 256;
export const mostDimensions = 4096;
/** In UTF-16 code units: a millisecond's work. What is longer is not done on the thread that answers requests. */
const mostInPlace = 2000;
/** Vectors that one call makes, so that several requests take turns. */
const inputsAtOnce = 16;

const worker = import.meta.url.endsWith('.ts') ? './vector-worker.ts' : './vector-worker.js';
const line = createWorkerLine<VectorCalls>({
  script: new URL(worker, import.meta.url),
  name: 'The builtin model',
  data: null,
  mostWaiting: 256,
  mostWaitingBytes: 67_108_864,
  heapMegabytes: 256,
});

/** Hashed n-grams of words and letters: texts with words or parts of words in common lie near each other. */
export async function embed(
  { inputs, dimensions: wanted }: EmbeddingRequest,
  signal: AbortSignal,
): Promise<EmbeddingResult> {
  const dimensions = wanted ?? defaultDimensions;
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > mostDimensions) {
    throw invalidPayload('dimensions', `Must be a whole number from 1 to ${mostDimensions}.`);
  }
  const characters = inputs.reduce((sum, { length }) => sum + length, 0);
  const embeddings: EmbeddingResult['embeddings'] = [];
  let inputTokens = 0;
  for (let at = 0; at < inputs.length; at += inputsAtOnce) {
    signal.throwIfAborted();
    const some = inputs.slice(at, at + inputsAtOnce);
    if (characters <= mostInPlace) {
      embeddings.push(...some.map((input) => vectorOf(input, dimensions)));
      inputTokens += await countTextTokens(some);
    } else {
      const bytes = 2 * some.reduce((sum, { length }) => sum + length, 0);
      const made = await line.call('vectors', { inputs: some, dimensions }, { bytes, signal });
      for (let from = 0; from < made.all.length; from += dimensions) {
        embeddings.push(made.all.subarray(from, from + dimensions));
      }
      inputTokens += made.inputTokens;
    }
  }
  return { embeddings, inputTokens };
}
