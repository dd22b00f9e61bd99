import type { Config, DeploymentConfig, GgufSettings } from '../../config.ts';
import { apiError } from '../../errors.ts';
import type { ProjectScenarios } from './builtin/scenarios/project-scenarios.ts';
import type { ModelCaller } from './caller.ts';
import { type DiscoveryOptions, discoverDeployments } from './discovery.ts';
import { anthropicAddress } from './environment.ts';
import type { Deployment, ModelProvider, ModelRequest } from './model.ts';
import type { ModelTraffic } from './model-traffic.ts';
import type { ModelLog, Upstream } from './upstream.ts';
import { withFaults } from './with-faults.ts';

export interface ModelTarget {
  deployment: Deployment;
  provider: ModelProvider;
}

export interface ModelGateway {
  /** Configured deployments first, then discovered ones, `builtin` last. */
  list(): Deployment[];
  find(name: string): ModelTarget | undefined;
  /** Throws `DeploymentNotFound` about the field `target` when there is no such deployment. */
  resolve(name: string, target?: string): ModelTarget;
}

export interface GatewayOptions extends Pick<DiscoveryOptions, 'ownPort' | 'servers' | 'ollama'> {
  config: Pick<Config, 'deployments' | 'discovery' | 'scenarios'>;
  environment: NodeJS.ProcessEnv;
  log: ModelLog;
  /** Stands before all deployments; without it nothing is limited. */
  traffic?: ModelTraffic;
  /** What the builtin model is to reply in single projects. */
  projectScenarios?: ProjectScenarios;
}

const namesShown = 20;

export async function createModelGateway(options: GatewayOptions): Promise<ModelGateway> {
  const { config, log, traffic, projectScenarios } = options;
  const builtin = lazily(() => loadBuiltin(config.scenarios, projectScenarios));
  // Faults in scenario files, and packages that are missing, must show at start, not at the first request.
  const [discovered] = await Promise.all([
    config.discovery ? discoverDeployments(options) : [],
    config.scenarios.length > 0 ? builtin() : null,
    needModelLibrary(config.deployments),
  ]);
  const targets = new Map<string, ModelTarget>();
  for (const deployment of [...config.deployments, ...discovered, builtinDeployment]) {
    if (targets.has(deployment.name)) continue;
    const own = withFaults(providerOf(deployment, builtin, log), deployment);
    const provider = traffic === undefined ? own : traffic.govern(deployment, own);
    targets.set(deployment.name, { deployment: describe(deployment), provider });
  }
  return {
    list: () => [...targets.values()].map((target) => target.deployment),
    find: (name) => targets.get(name),
    resolve(name, target) {
      const found = targets.get(name);
      if (found !== undefined) return found;
      const names = [...targets.keys()];
      const more = names.length > namesShown ? ` and ${names.length - namesShown} more` : '';
      throw apiError(
        'DeploymentNotFound',
        `No model deployment '${name.slice(0, 128)}' exists. Available: ${names.slice(0, namesShown).join(', ')}${more}.`,
        { target: target ?? null },
      );
    },
  };
}

const builtinDeployment: DeploymentConfig = {
  name: 'builtin',
  provider: 'builtin',
  model: 'builtin',
  baseUrl: null,
  apiKey: null,
  apiVersion: null,
  timeoutSeconds: 120,
  modelVersion: null,
  modelPublisher: null,
};

async function loadBuiltin(files: string[], ofProjects?: ProjectScenarios): Promise<ModelProvider> {
  const { createBuiltinModel, loadScenarios } = await import('./builtin/index.ts');
  return createBuiltinModel({
    scenarios: files.flatMap((file) => loadScenarios(file)),
    ofProject: ofProjects && ((project) => ofProjects.of(project)),
  });
}

function providerOf(
  deployment: DeploymentConfig,
  builtin: () => Promise<ModelProvider>,
  log: ModelLog,
): ModelProvider {
  const { gguf, name } = deployment;
  if (gguf !== undefined) return ownProvider(lazily(() => loadGguf(name, gguf, log)));
  return deployment.provider === 'builtin' ? ownProvider(builtin) : remoteProvider(deployment, log);
}

async function needModelLibrary(deployments: DeploymentConfig[]): Promise<void> {
  const first = deployments.find(({ provider }) => provider === 'gguf');
  if (first !== undefined) (await import('./gguf/node-llama-cpp.ts')).locateNodeLlamaCpp(first.name);
}

async function loadGguf(name: string, gguf: GgufSettings, log: ModelLog): Promise<ModelProvider> {
  const [{ createGgufProvider }, { locateNodeLlamaCpp }] = await Promise.all([
    import('./gguf/gguf.ts'),
    import('./gguf/node-llama-cpp.ts'),
  ]);
  return createGgufProvider({ name, gguf }, locateNodeLlamaCpp(name), log);
}

function ownProvider(load: () => Promise<ModelProvider>): ModelProvider {
  const { generate, countTokens, embed } = fullProvider(load);
  return { generate, countTokens, embed };
}

function remoteProvider(deployment: DeploymentConfig, log: ModelLog): ModelProvider {
  const upstream = { ...deployment, baseUrl: deployment.baseUrl ?? anthropicAddress };
  const load = lazily(() => loadProvider(upstream, log));
  const { generate, countTokens, embed, forward } = fullProvider(load);
  const documentTypes = documentTypesOf(upstream);
  return deployment.provider === 'anthropic'
    ? { generate, countTokens, documentTypes }
    : { generate, countTokens, embed, forward, documentTypes };
}

/** What those take that are known to take documents. Of other servers nobody knows. */
const documentTypesOf = (upstream: Upstream): readonly string[] =>
  upstream.provider === 'openai-compatible' && !isOpenAI(upstream) ? [] : ['application/pdf'];

/** Provider packages take 100 ms each to import, so none is before its first use. */
async function loadProvider(upstream: Upstream, log: ModelLog): Promise<ModelProvider> {
  if (upstream.provider === 'anthropic') {
    return (await import('./anthropic.ts')).createAnthropicProvider(upstream, log);
  }
  if (upstream.provider === 'azure-openai') {
    return (await import('./azure-openai.ts')).createAzureOpenAIProvider(upstream, log);
  }
  if (isOpenAI(upstream)) return (await import('./openai.ts')).createOpenAIProvider(upstream, log);
  return (await import('./openai-compatible.ts')).createOpenAICompatibleProvider(upstream, log);
}

const isOpenAI = ({ baseUrl }: Upstream): boolean =>
  /(^|\.)api\.openai\.com$/.test(new URL(baseUrl).hostname);

/** A provider that loads the real one when first asked for something. */
function fullProvider(load: () => Promise<ModelProvider>): Required<Omit<ModelProvider, 'documentTypes'>> {
  let loaded: ModelProvider | undefined;
  const provider = async (): Promise<ModelProvider> => {
    loaded ??= await load();
    return loaded;
  };
  async function* generateOnceLoaded(request: ModelRequest, signal: AbortSignal, caller?: ModelCaller) {
    const { generate } = await provider();
    if (generate !== undefined) yield* generate(request, signal, caller);
  }
  return {
    // Every event passes through whatever stands in between, so nothing does once it is loaded.
    generate: (request, signal, caller) =>
      loaded?.generate?.(request, signal, caller) ?? generateOnceLoaded(request, signal, caller),
    async embed(request, signal) {
      const { embed } = await provider();
      if (embed === undefined) throw apiError('unsupported_parameter', 'This deployment has no embeddings.');
      return embed(request, signal);
    },
    async forward(request, signal) {
      const { forward } = await provider();
      if (forward === undefined)
        throw apiError('unsupported_parameter', 'This deployment passes nothing on.');
      return forward(request, signal);
    },
    countTokens: async (request) => (await provider()).countTokens(request),
  };
}

function lazily<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

function describe(config: DeploymentConfig): Deployment {
  const chat = { chat_completion: 'true' };
  return {
    name: config.name,
    provider: config.provider,
    modelName: config.model,
    modelVersion: config.modelVersion ?? '1',
    modelPublisher: config.modelPublisher ?? publisher(config),
    capabilities: config.provider === 'anthropic' ? chat : { ...chat, embeddings: 'true' },
    connectionName: null,
  };
}

function publisher({ provider, baseUrl, model }: DeploymentConfig): string {
  if (provider === 'builtin') return 'Bloomery';
  if (provider === 'anthropic') return 'Anthropic';
  if (provider === 'azure-openai' || baseUrl?.startsWith('https://api.openai.com/')) return 'OpenAI';
  return families.find(([pattern]) => pattern.test(model))?.[1] ?? 'Unknown';
}

const families: [RegExp, string][] = [
  [/llama/i, 'Meta'],
  [/qwen|qwq/i, 'Alibaba'],
  [/mistral|mixtral|codestral|devstral/i, 'Mistral AI'],
  [/gemma/i, 'Google'],
  [/phi-?\d/i, 'Microsoft'],
  [/deepseek/i, 'DeepSeek'],
  [/gpt-oss/i, 'OpenAI'],
  [/granite/i, 'IBM'],
  [/smollm/i, 'Hugging Face'],
];
