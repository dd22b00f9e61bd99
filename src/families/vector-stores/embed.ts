import { ApiError, apiError, unsupportedParameter } from '../../errors.ts';
import type { ModelCaller } from '../../providers/models/caller.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import { hasFiniteNumbers } from '../../providers/search/quantise.ts';

/**
 * Makes vectors of texts, in their order, for whom the tokens count. Throws `ApiError`s; then `vectors` has what was
 * made, and another call with it goes on there.
 */
export type Embed = (
  caller: ModelCaller,
  deployment: string,
  texts: readonly string[],
  signal: AbortSignal,
  vectors?: Float32Array[],
  inTurn?: InTurn,
) => Promise<Float32Array[]>;

/** Has some of the vectors made when it is their turn. */
export type InTurn = <T>(make: () => Promise<T>) => Promise<T>;

const textsAtOnce = 64;

export const embedWith =
  (models: ModelGateway): Embed =>
  async (caller, name, texts, signal, vectors = [], inTurn = (make) => make()) => {
    const { provider, deployment } = models.resolve(name);
    if (provider.embed === undefined) {
      throw unsupportedParameter('embeddings', `Deployment '${deployment.name}' has no embeddings.`);
    }
    const embed = provider.embed.bind(provider);
    let atOnce = textsAtOnce;
    while (vectors.length < texts.length) {
      signal.throwIfAborted();
      const inputs = texts.slice(vectors.length, vectors.length + atOnce);
      try {
        const { embeddings } = await inTurn(() => embed({ inputs, dimensions: null }, signal, caller));
        vectors.push(...usable(embeddings, inputs.length, vectors[0]?.length, name));
      } catch (error) {
        // More at once than a limit ever lets through.
        if (!isLimit(error) || waitOf(error) !== null || inputs.length === 1) throw error;
        atOnce = Math.ceil(inputs.length / 2);
      }
    }
    return vectors;
  };

function usable(
  embeddings: readonly ArrayLike<number>[],
  count: number,
  known: number | undefined,
  name: string,
): Float32Array[] {
  if (embeddings.length !== count) throw unusable(name);
  const vectors = embeddings.map((embedding) => Float32Array.from(embedding));
  const length = known ?? vectors[0]?.length;
  const isUsable = (vector: Float32Array): boolean =>
    vector.length > 0 && vector.length === length && hasFiniteNumbers(vector);
  if (!vectors.every(isUsable)) throw unusable(name);
  return vectors;
}

const isLimit = (error: unknown): error is ApiError => error instanceof ApiError && error.status === 429;

const usualWait = 5000;
const longestWait = 60_000;

/** Milliseconds after which a call that met a limit may be repeated; null for another failure, or where never. */
export function waitOf(error: unknown): number | null {
  if (!isLimit(error) || error.headers['x-should-retry'] === 'false') return null;
  const seconds = Number(error.headers['retry-after']);
  return Math.min(seconds > 0 ? seconds * 1000 : usualWait, longestWait);
}

const unusable = (name: string) =>
  apiError('model_error', `Deployment '${name}' answered with vectors that cannot be used.`);
