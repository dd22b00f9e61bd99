import { createAzure } from '@ai-sdk/azure';
import { createAiSdkProvider } from './ai-sdk.ts';
import { callOptions } from './ai-sdk-request.ts';
import { type Address, forwarder } from './forward.ts';
import type { ModelProvider, ModelRequest } from './model.ts';
import { openAIOptions } from './openai.ts';
import { silentFetch } from './parameters.ts';
import { type ModelLog, type Upstream, upstreamFetch } from './upstream.ts';

/** Azure OpenAI: the v1 API, or with a dated `apiVersion` the older one with the deployment in the path. */
export function createAzureOpenAIProvider(upstream: Upstream, log: ModelLog): ModelProvider {
  const providerOver = (fetch: typeof upstreamFetch) =>
    createAzure({ ...address(upstream), apiKey: upstream.apiKey ?? '', fetch });
  const provider = providerOver(upstreamFetch);
  const spoken = createAiSdkProvider({
    upstream,
    log,
    language: provider.chat(upstream.model),
    rehearsal: providerOver(silentFetch).chat(upstream.model),
    embedding: provider.embedding(upstream.model),
    // A deployment's name does not tell whether its model takes `max_tokens`; all take the newer name.
    options: (request) =>
      callOptions({ ...request, maxOutputTokens: null }, { openai: azureOptions(request) }),
  });
  return { ...spoken, forward: forwarder({ upstream, log, addressOf: (path) => place(upstream, path) }) };
}

function azureOptions(request: ModelRequest) {
  const { maxOutputTokens } = request;
  return {
    ...openAIOptions(request),
    ...(maxOutputTokens === null ? {} : { maxCompletionTokens: maxOutputTokens }),
  };
}

function address({ baseUrl, apiVersion }: Upstream) {
  const dated = apiVersion !== null && /^\d/.test(apiVersion);
  const root = baseUrl.replace(/\/+$/, '').replace(/\/openai(\/v1)?$/, '');
  if (dated) return { baseURL: `${root}/openai`, apiVersion, useDeploymentBasedUrls: true };
  return { baseURL: `${root}/openai/v1` };
}

function place(upstream: Upstream, path: string): Address {
  const { baseURL, apiVersion } = address(upstream);
  const headers = { 'api-key': upstream.apiKey ?? '' };
  if (apiVersion !== undefined) {
    const deployment = encodeURIComponent(upstream.model);
    return { url: `${baseURL}/deployments/${deployment}${path}?api-version=${apiVersion}`, headers };
  }
  const query = upstream.apiVersion === 'preview' ? '?api-version=preview' : '';
  return { url: baseURL + path + query, headers };
}
