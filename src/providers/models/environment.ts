import type { DeploymentConfig, DeploymentProvider } from '../../config.ts';
import { discovered, isOurselves, type LocalServer } from './local-server.ts';
import type { ModelLog } from './upstream.ts';

/**
 * What keys in the environment offer. Nobody is called: the names are those the environment gives
 * (`OPENAI_MODEL`, `AZURE_OPENAI_DEPLOYMENT`, `ANTHROPIC_MODEL`, comma-separated), else a short list.
 */
export interface EnvironmentFindings {
  deployments: DeploymentConfig[];
  /** Local servers the environment names, to be asked what they have. */
  servers: { server: LocalServer; apiKey: string }[];
}

export const openAIModels = [
  'gpt-5',
  'gpt-5-mini',
  'gpt-4.1',
  'gpt-4.1-mini',
  'gpt-4o',
  'gpt-4o-mini',
  'text-embedding-3-small',
  'text-embedding-3-large',
];
export const anthropicModels = ['claude-opus-4-5', 'claude-sonnet-4-5', 'claude-haiku-4-5'];
const openAIAddress = 'https://api.openai.com/v1';
export const anthropicAddress = 'https://api.anthropic.com/v1';

export function environmentDeployments(
  environment: NodeJS.ProcessEnv,
  log: ModelLog,
  ownPort: number | undefined,
): EnvironmentFindings {
  const openAI = fromOpenAI(environment, log, ownPort);
  return {
    servers: openAI.servers,
    deployments: [...openAI.deployments, ...fromAzure(environment, log), ...fromAnthropic(environment)],
  };
}

function fromOpenAI(
  environment: NodeJS.ProcessEnv,
  log: ModelLog,
  ownPort: number | undefined,
): EnvironmentFindings {
  const none: EnvironmentFindings = { deployments: [], servers: [] };
  const apiKey = keyIn(environment.OPENAI_API_KEY);
  const baseUrl = addressIn(environment.OPENAI_BASE_URL) ?? openAIAddress;
  if (apiKey === null || isOurselves(baseUrl, ownPort)) return none;
  const names = namesIn(environment.OPENAI_MODEL);
  const offer = (models: string[]) =>
    models.map((model) => deployment('openai-compatible', model, { baseUrl, apiKey }));
  if (names.length > 0) return { deployments: offer(names), servers: [] };
  const { hostname } = new URL(baseUrl);
  if (hostname === 'api.openai.com') return { deployments: offer(openAIModels), servers: [] };
  if (/^(localhost|127\.|\[::1\])/.test(hostname)) {
    return { deployments: [], servers: [{ server: { name: 'OPENAI_BASE_URL', baseUrl }, apiKey }] };
  }
  log.info({}, 'OPENAI_BASE_URL is set, but not OPENAI_MODEL: name the models there to offer them');
  return none;
}

function fromAzure(environment: NodeJS.ProcessEnv, log: ModelLog): DeploymentConfig[] {
  const baseUrl = addressIn(environment.AZURE_OPENAI_ENDPOINT);
  const apiKey = keyIn(environment.AZURE_OPENAI_API_KEY);
  if (baseUrl === null || apiKey === null) return [];
  const names = namesIn(environment.AZURE_OPENAI_DEPLOYMENT ?? environment.AZURE_OPENAI_DEPLOYMENT_NAME);
  if (names.length === 0) {
    log.info(
      {},
      'AZURE_OPENAI_ENDPOINT is set, but not AZURE_OPENAI_DEPLOYMENT: name the deployments there to offer them',
    );
  }
  const apiVersion = environment.OPENAI_API_VERSION?.trim() || null;
  return names.map((name) => deployment('azure-openai', name, { baseUrl, apiKey, apiVersion }));
}

function fromAnthropic(environment: NodeJS.ProcessEnv): DeploymentConfig[] {
  const apiKey = keyIn(environment.ANTHROPIC_API_KEY);
  if (apiKey === null) return [];
  const names = namesIn(environment.ANTHROPIC_MODEL);
  return (names.length > 0 ? names : anthropicModels).map((name) =>
    deployment('anthropic', name, { baseUrl: anthropicAddress, apiKey }),
  );
}

function deployment(
  provider: DeploymentProvider,
  name: string,
  rest: Partial<DeploymentConfig>,
): DeploymentConfig {
  return { ...discovered, name, provider, model: name, baseUrl: null, ...rest };
}

function keyIn(text: string | undefined): string | null {
  const key = text?.trim() ?? '';
  return /^[\x21-\x7e]+$/.test(key) ? key : null;
}

function addressIn(text: string | undefined): string | null {
  const url = URL.parse(text?.trim() ?? '');
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

function namesIn(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}
