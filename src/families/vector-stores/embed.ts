import { apiError, unsupportedParameter } from '../../errors.ts';
import { patientCaller } from '../../providers/models/caller.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';

/** Makes vectors of texts, in their order. Throws `ApiError`s. */
export type Embed = (
  project: string,
  deployment: string,
  texts: readonly string[],
  signal: AbortSignal,
) => Promise<Float32Array[]>;

const textsAtOnce = 64;

export const embedWith =
  (models: ModelGateway): Embed =>
  async (project, name, texts, signal) => {
    const { provider, deployment } = models.resolve(name);
    if (provider.embed === undefined) {
      throw unsupportedParameter('embeddings', `Deployment '${deployment.name}' has no embeddings.`);
    }
    const vectors: Float32Array[] = [];
    for (let from = 0; from < texts.length; from += textsAtOnce) {
      signal.throwIfAborted();
      const inputs = texts.slice(from, from + textsAtOnce);
      const { embeddings } = await provider.embed(
        { inputs, dimensions: null, isCounted: false },
        signal,
        patientCaller(project),
      );
      if (embeddings.length !== inputs.length) throw unusable(name);
      for (const embedding of embeddings) {
        const vector = Float32Array.from(embedding);
        if (vector.length === 0 || vector.length !== (vectors[0] ?? vector).length) throw unusable(name);
        if (!vector.every(Number.isFinite)) throw unusable(name);
        vectors.push(vector);
      }
    }
    return vectors;
  };

const unusable = (name: string) =>
  apiError('model_error', `Deployment '${name}' answered with vectors that cannot be used.`);
