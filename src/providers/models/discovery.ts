import type { DeploymentConfig } from '../../config.ts';
import { environmentDeployments } from './environment.ts';
import { discovered, isOurselves, type LocalServer } from './local-server.ts';
import type { ModelLog } from './upstream.ts';

export interface DiscoveryOptions {
  environment: NodeJS.ProcessEnv;
  log: ModelLog;
  /** Our own port, so that we are never our own upstream. */
  ownPort?: number | undefined;
  /** OpenAI-compatible servers to look for; the usual loopback ports unless told. */
  servers?: LocalServer[] | undefined;
  /** Address of Ollama where `OLLAMA_HOST` is not set. */
  ollama?: string | undefined;
}

const usualServers: LocalServer[] = [
  { name: 'LM Studio', baseUrl: 'http://127.0.0.1:1234/v1' },
  { name: 'llama.cpp', baseUrl: 'http://127.0.0.1:8080/v1' },
  { name: 'vLLM', baseUrl: 'http://127.0.0.1:8000/v1' },
];

export const probeMilliseconds = 250;
const largestAnswer = 1024 * 1024;
const mostModels = 64;
const modelName = /^[A-Za-z0-9][A-Za-z0-9_.:/@+-]{0,127}$/;

/** Deployments nobody configured: servers on loopback, and what the environment has keys for. Never throws. */
export async function discoverDeployments(options: DiscoveryOptions): Promise<DeploymentConfig[]> {
  const { environment, ownPort, log } = options;
  const servers = (options.servers ?? usualServers).filter((server) => !isOurselves(server.baseUrl, ownPort));
  const fromEnvironment = environmentDeployments(environment, log, ownPort);
  const found = await Promise.all([
    ollamaModels(options),
    ...servers.map((server) => openAIModels(server, null)),
    ...fromEnvironment.servers.map(({ server, apiKey }) => openAIModels(server, apiKey)),
  ]);
  const deployments = [...found.flat(), ...fromEnvironment.deployments];
  const byName = new Map<string, DeploymentConfig>();
  for (const deployment of deployments) {
    if (byName.has(deployment.name)) {
      log.info(
        { deployment: deployment.name },
        'a second server offers a model of this name; configure it to use both',
      );
    } else byName.set(deployment.name, deployment);
  }
  return [...byName.values()];
}

async function ollamaModels({ environment, ollama, ownPort }: DiscoveryOptions): Promise<DeploymentConfig[]> {
  const root = ollamaAddress(environment.OLLAMA_HOST) ?? ollama ?? 'http://127.0.0.1:11434';
  if (isOurselves(root, ownPort)) return [];
  const answer = await probe(`${root}/api/tags`, null);
  const models = (answer as { models?: unknown } | null)?.models;
  return named(models, 'name').map((name) => deployment(name, `${root}/v1`, null));
}

/** `OLLAMA_HOST` may lack scheme and port, and may be the address the server binds. */
export function ollamaAddress(host: string | undefined): string | null {
  if (host === undefined || host.trim() === '') return null;
  const text = host.trim();
  const url = URL.parse(/^https?:\/\//.test(text) ? text : `http://${text}`);
  if (url === null) return null;
  if (url.port === '' && !/^https?:\/\//.test(text)) url.port = '11434';
  if (url.hostname === '0.0.0.0') url.hostname = '127.0.0.1';
  if (url.hostname === '[::]') url.hostname = '[::1]';
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

async function openAIModels(server: LocalServer, apiKey: string | null): Promise<DeploymentConfig[]> {
  const answer = (await probe(`${server.baseUrl}/models`, apiKey)) as {
    object?: unknown;
    data?: unknown;
  } | null;
  if (answer?.object !== 'list') return [];
  return named(answer.data, 'id').map((name) => deployment(name, server.baseUrl, apiKey));
}

function deployment(name: string, baseUrl: string, apiKey: string | null): DeploymentConfig {
  return { ...discovered, name, provider: 'openai-compatible', model: name, baseUrl, apiKey };
}

function named(models: unknown, key: string): string[] {
  if (!Array.isArray(models)) return [];
  return models
    .map((model: Record<string, unknown> | null) => model?.[key])
    .filter((name): name is string => typeof name === 'string' && modelName.test(name))
    .slice(0, mostModels);
}

/** The JSON at `url`, or null when nothing usable answers in time. */
async function probe(url: string, apiKey: string | null): Promise<unknown> {
  const signal = AbortSignal.timeout(probeMilliseconds);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (apiKey !== null) headers.authorization = `Bearer ${apiKey}`;
  try {
    const response = await fetch(url, { signal, headers, redirect: 'error' });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      return null;
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += chunk.byteLength;
      if (size > largestAnswer) return null;
      chunks.push(chunk);
    }
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    return null;
  }
}
