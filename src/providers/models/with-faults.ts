import type { DeploymentConfig } from '../../config.ts';
import type { CallFaults, ModelFault } from '../../kit/call-faults.ts';
import { anthropicAddress } from './environment.ts';
import type { ModelEvent, ModelProvider } from './model.ts';

/** A provider whose calls fail where a fault plan wants it so. */
export function withFaults(provider: ModelProvider, deployment: DeploymentConfig): ModelProvider {
  const { generate, embed, forward } = provider;
  const faultOf = (faults: CallFaults | null | undefined) => faults?.modelCall(deployment.name) ?? null;
  const failIf = async (fault: ModelFault | null): Promise<void> => {
    if (fault !== null) throw await failure(deployment, fault);
  };
  return {
    ...provider,
    ...(generate && {
      generate(request, signal, caller) {
        const fault = faultOf(caller?.faults);
        if (fault === null) return generate(request, signal, caller);
        return failingAfter(generate(request, signal, caller), fault, deployment);
      },
    }),
    ...(embed && {
      async embed(request, signal, caller) {
        await failIf(faultOf(caller?.faults));
        return embed(request, signal, caller);
      },
    }),
    ...(forward && {
      async forward(request, signal, caller) {
        await failIf(faultOf(caller?.faults));
        return forward(request, signal, caller);
      },
    }),
  };
}

/** The model is not called for events that nobody is to see. */
async function* failingAfter(
  events: AsyncIterable<ModelEvent>,
  fault: ModelFault,
  deployment: DeploymentConfig,
): AsyncGenerator<ModelEvent> {
  let left = fault.afterEvents;
  if (left > 0) {
    for await (const event of events) {
      yield event;
      // A model that has ended before has not failed.
      if (event.type === 'finish') return;
      if (--left === 0) break;
    }
    if (left > 0) return;
  }
  throw await failure(deployment, fault);
}

/** What this server makes of such an answer of a model's server. */
async function failure(
  deployment: DeploymentConfig,
  { status, retryAfterSeconds }: ModelFault,
): Promise<unknown> {
  const [{ APICallError }, { upstreamError }] = await Promise.all([
    import('@ai-sdk/provider'),
    import('./upstream-errors.ts'),
  ]);
  const upstream = { ...deployment, baseUrl: deployment.baseUrl ?? anthropicAddress };
  const answer = new APICallError({
    message: '',
    url: upstream.baseUrl,
    requestBodyValues: {},
    statusCode: status,
    ...(retryAfterSeconds === null ? {} : { responseHeaders: { 'retry-after': String(retryAfterSeconds) } }),
    responseBody: JSON.stringify({ error: { message: 'A fault plan wants it so.' } }),
  });
  return upstreamError(answer, upstream, false);
}
