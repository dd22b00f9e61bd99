import { createOpenAI } from '@ai-sdk/openai';
import { createAiSdkProvider } from './ai-sdk.ts';
import { callOptions } from './ai-sdk-request.ts';
import { bearerAddress, forwarder } from './forward.ts';
import type { ModelProvider, ModelRequest } from './model.ts';
import { silentFetch } from './parameters.ts';
import { type ModelLog, type Upstream, upstreamFetch } from './upstream.ts';

/**
 * OpenAI itself, over chat completions: the Responses API knows neither `seed`, `stop` nor penalties. Its own
 * package knows the families of models and what each takes, which the compatible one does not.
 */
export function createOpenAIProvider(upstream: Upstream, log: ModelLog): ModelProvider {
  const providerOver = (fetch: typeof upstreamFetch) =>
    createOpenAI({ baseURL: upstream.baseUrl, apiKey: upstream.apiKey ?? '', fetch });
  const provider = providerOver(upstreamFetch);
  const spoken = createAiSdkProvider({
    upstream,
    log,
    language: provider.chat(upstream.model),
    rehearsal: providerOver(silentFetch).chat(upstream.model),
    embedding: provider.embedding(upstream.model),
    options: (request) => callOptions(request, { openai: openAIOptions(request) }),
  });
  return { ...spoken, forward: forwarder({ upstream, log, addressOf: bearerAddress(upstream) }) };
}

export function openAIOptions(request: ModelRequest) {
  return {
    ...(request.user === null ? {} : { user: request.user }),
    ...(request.reasoningEffort === null ? {} : { reasoningEffort: request.reasoningEffort }),
    ...(request.verbosity === null ? {} : { textVerbosity: request.verbosity }),
    ...(request.outputFormat.type === 'json_schema' ? { strictJsonSchema: request.outputFormat.strict } : {}),
    ...(request.tools.length > 0 ? { parallelToolCalls: request.parallelToolCalls } : {}),
  };
}
