import { unsupportedParameter } from '../../errors.ts';
import type { Handlers } from '../../kit/operation.ts';
import { callerOf } from '../../providers/models/caller.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import type { operations } from './contract.ts';
import { inputTexts } from './inputs.ts';

export function embeddingsService(models: ModelGateway): Handlers<typeof operations> {
  return {
    async create(ctx, { body }) {
      const { deployment, provider } = models.resolve(body.model, 'model');
      if (provider.embed === undefined) {
        throw unsupportedParameter(
          'model',
          `Deployment '${deployment.name}' has no embeddings; name one that has.`,
        );
      }
      const dimensions = body.dimensions ?? null;
      const inputs = await inputTexts(body.input);
      const started = performance.now();
      const { embeddings, inputTokens } = await provider.embed(
        { inputs, dimensions },
        ctx.signal,
        callerOf(ctx),
      );
      ctx.timing('model', performance.now() - started);
      for (const { length } of embeddings) {
        if (dimensions !== null && length !== dimensions) throw otherLength(deployment.name, length);
      }
      const encode = body.encoding_format === 'base64' ? base64 : numbersOf;
      return {
        object: 'list',
        model: deployment.name,
        data: embeddings.map((vector, index) => ({ object: 'embedding', index, embedding: encode(vector) })),
        usage: { prompt_tokens: inputTokens, total_tokens: inputTokens },
      };
    },
  };
}

/** Some servers answer as if `dimensions` had not been sent. */
const otherLength = (deployment: string, length: number) =>
  unsupportedParameter(
    'dimensions',
    `Deployment '${deployment}' makes vectors of length ${length} only; leave 'dimensions' out.`,
  );

type Vector = number[] | Float64Array;

const numbersOf = (vector: Vector): number[] => (Array.isArray(vector) ? vector : Array.from(vector));

function base64(vector: Vector): string {
  const bytes = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [i, value] of vector.entries()) bytes.setFloat32(i * 4, value, true);
  return Buffer.from(bytes.buffer).toString('base64');
}
