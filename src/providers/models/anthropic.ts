import { createAnthropic } from '@ai-sdk/anthropic';
import { unsupportedParameter } from '../../errors.ts';
import { createAiSdkProvider } from './ai-sdk.ts';
import { callOptions } from './ai-sdk-request.ts';
import type { ModelProvider, ModelRequest } from './model.ts';
import { silentFetch } from './parameters.ts';
import { type ModelLog, type Upstream, upstreamFetch } from './upstream.ts';

/** Anthropic's Messages API. It has no embeddings. */
export function createAnthropicProvider(upstream: Upstream, log: ModelLog): ModelProvider {
  const modelOver = (fetch: typeof upstreamFetch) =>
    createAnthropic({ baseURL: upstream.baseUrl, apiKey: upstream.apiKey ?? '', fetch })(upstream.model);
  return createAiSdkProvider({
    upstream,
    log,
    language: modelOver(upstreamFetch),
    rehearsal: modelOver(silentFetch),
    options: (request) => ({
      ...callOptions(request, { anthropic: anthropicOptions(request) }),
      ...(request.reasoningEffort === null ? {} : { reasoning: request.reasoningEffort }),
    }),
  });
}

function anthropicOptions(request: ModelRequest) {
  // The package would drop it without a word.
  if (request.verbosity !== null) {
    throw unsupportedParameter(
      'text.verbosity',
      "Anthropic's models take no 'text.verbosity'; leave it out.",
    );
  }
  return {
    ...(request.user === null ? {} : { metadata: { userId: request.user } }),
    ...(request.tools.length > 0 && !request.parallelToolCalls ? { disableParallelToolUse: true } : {}),
  };
}
