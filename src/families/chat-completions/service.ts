import type { Context } from '../../kit/context.ts';
import { asApiError, errorBody } from '../../kit/error-body.ts';
import { newId } from '../../kit/ids.ts';
import { EventStream, type Handlers } from '../../kit/operation.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import { chunkFrames, dataFrame } from './chunks.ts';
import { completion, type Envelope } from './completion.ts';
import type { operations } from './contract.ts';
import { deltas } from './deltas.ts';
import { startModelCall } from './model-call.ts';
import { modelRequest } from './model-request.ts';
import { checkRequest } from './request-checks.ts';

export function chatCompletionsService(models: ModelGateway): Handlers<typeof operations> {
  return {
    async create(ctx, { body }) {
      checkRequest(body);
      const target = models.resolve(body.model, 'model');
      const { request, customTools } = modelRequest(body);
      const envelope: Envelope = {
        id: newId('chatcmpl').replace('_', '-'),
        created: unixSeconds(),
        model: target.deployment.name,
        ...(body.service_tier ? { service_tier: 'default' } : {}),
      };
      const started = performance.now();
      const events = await startModelCall(target, request, body, ctx.signal);
      const pieces = deltas(events, customTools);
      if (body.stream) {
        ctx.timing('model', performance.now() - started);
        const options = {
          includeUsage: body.stream_options?.include_usage ?? false,
          obfuscate: body.stream_options?.include_obfuscation ?? false,
        };
        return new EventStream(chunkFrames(envelope, pieces, options), (error) => errorFrame(ctx, error));
      }
      const whole = await completion(envelope, pieces);
      ctx.timing('model', performance.now() - started);
      return body.metadata ? { ...whole, metadata: body.metadata } : whole;
    },
  };
}

/** How a stream that fails after its first byte ends; OpenAI clients raise what stands under `error`. */
function errorFrame(ctx: Context, thrown: unknown): string {
  const error = asApiError(thrown);
  if (error.code === 'server_error') ctx.log.error({ err: thrown }, 'streaming a chat completion failed');
  return dataFrame(errorBody(error, 'openai', ctx.requestId));
}
