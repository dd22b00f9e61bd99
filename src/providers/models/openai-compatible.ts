import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { createAiSdkProvider } from './ai-sdk.ts';
import { callOptions } from './ai-sdk-request.ts';
import { bearerAddress, forwarder } from './forward.ts';
import type { ModelProvider, ModelRequest } from './model.ts';
import { silentFetch } from './parameters.ts';
import { type ModelLog, type Upstream, upstreamFetch } from './upstream.ts';

/** Any server of OpenAI's chat completions API: Ollama, vLLM, llama.cpp, LM Studio. */
export function createOpenAICompatibleProvider(upstream: Upstream, log: ModelLog): ModelProvider {
  const providerOver = (fetch: typeof upstreamFetch) =>
    createOpenAICompatible({
      name: 'upstream',
      baseURL: upstream.baseUrl,
      ...(upstream.apiKey === null ? {} : { apiKey: upstream.apiKey }),
      fetch,
      includeUsage: true,
      supportsStructuredOutputs: true,
    });
  const provider = providerOver(upstreamFetch);
  const spoken = createAiSdkProvider({
    upstream,
    log,
    language: provider.chatModel(upstream.model),
    rehearsal: providerOver(silentFetch).chatModel(upstream.model),
    embedding: provider.embeddingModel(upstream.model),
    options: (request) => callOptions(request, { upstream: parameters(request) }),
  });
  return { ...spoken, forward: forwarder({ upstream, log, addressOf: bearerAddress(upstream) }) };
}

/** Keys that the package does not know go into the request body as they are. */
function parameters(request: ModelRequest) {
  return {
    ...(request.user === null ? {} : { user: request.user }),
    ...(request.reasoningEffort === null ? {} : { reasoningEffort: request.reasoningEffort }),
    ...(request.verbosity === null ? {} : { textVerbosity: request.verbosity }),
    ...(request.outputFormat.type === 'json_schema' ? { strictJsonSchema: request.outputFormat.strict } : {}),
    ...(request.tools.length > 0 && !request.parallelToolCalls ? { parallel_tool_calls: false } : {}),
  };
}
