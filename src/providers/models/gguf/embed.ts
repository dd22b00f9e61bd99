import { apiError, unsupportedParameter } from '../../../errors.ts';
import type { EmbeddingRequest, EmbeddingResult } from '../model.ts';
import type { LoadedModel } from './loaded-model.ts';
import { charactersAtOnce, countInPieces } from './token-count.ts';

/** Vectors of unit length, one text after the other. */
export async function embed(
  loaded: LoadedModel,
  { inputs, dimensions }: EmbeddingRequest,
  signal: AbortSignal,
): Promise<EmbeddingResult> {
  const { deployment, contextTokens } = loaded;
  if (dimensions !== null) {
    throw unsupportedParameter(
      'dimensions',
      `Deployment '${deployment}' has vectors of one length only; leave it out.`,
    );
  }
  const contexts = await loaded.embedding();
  const context = await contexts.acquire(signal, () => 0);
  try {
    const result: EmbeddingResult = { embeddings: [], inputTokens: 0 };
    for (const [at, text] of inputs.entries()) {
      signal.throwIfAborted();
      const tokens =
        text.length > charactersAtOnce
          ? await countInPieces(loaded.model, [text], contextTokens * 2)
          : context.calculateInputLength(text);
      if (tokens >= contextTokens) throw tooLong(deployment, at, tokens, contextTokens);
      const { vector } = await context.getEmbeddingFor(text);
      result.embeddings.push(unitLength(vector));
      result.inputTokens += tokens;
    }
    return result;
  } finally {
    contexts.release(context);
  }
}

const tooLong = (deployment: string, at: number, tokens: number, contextTokens: number) =>
  apiError(
    'context_length_exceeded',
    `The text ${at} of the input has ${tokens} tokens or more, and deployment '${deployment}' takes ${contextTokens - 1}.`,
    { target: 'input' },
  );

function unitLength(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}
