/** The variables by which every official client finds, trusts and is trusted by a server. */
import { UsageError } from './arguments.ts';

export interface Reachable {
  endpoint: string;
  identityEndpoint: string;
  identityHeader: string;
  /** Null where only its hash is known; the variables that carry it are then left away. */
  apiKey: string | null;
  caFile: string;
  caBundleFile: string;
  deployments: string[];
}

export function clientEnvironment(server: Reachable, deployment: string | null): Record<string, string> {
  const model = modelName(server.deployments, deployment);
  return {
    FOUNDRY_PROJECT_ENDPOINT: server.endpoint,
    AZURE_AI_PROJECT_ENDPOINT: server.endpoint,
    FOUNDRY_MODEL_NAME: model,
    AZURE_AI_MODEL_DEPLOYMENT_NAME: model,
    MODEL_DEPLOYMENT_NAME: model,
    ...(server.apiKey ? { FOUNDRY_PROJECT_API_KEY: server.apiKey } : {}),
    OPENAI_BASE_URL: `${server.endpoint}/openai/v1`,
    ...(server.apiKey ? { OPENAI_API_KEY: server.apiKey } : {}),
    IDENTITY_ENDPOINT: server.identityEndpoint,
    IDENTITY_HEADER: server.identityHeader,
    AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
    NODE_EXTRA_CA_CERTS: server.caFile,
    SSL_CERT_FILE: server.caBundleFile,
    REQUESTS_CA_BUNDLE: server.caBundleFile,
  };
}

function modelName(deployments: string[], wanted: string | null): string {
  if (wanted === null) return deployments[0] ?? 'builtin';
  if (deployments.includes(wanted)) return wanted;
  throw new UsageError(`There is no deployment '${wanted}'. The server has ${deployments.join(', ')}.`);
}

export interface Recorded {
  /** Of this machine, with the path of the upstream. */
  endpoint: string;
  caFile: string;
  caBundleFile: string;
  /** What to sign in with; null where clients have credentials of the upstream. */
  signIn: { apiKey: string; identityEndpoint: string; identityHeader: string } | null;
}

/** The variables that lead clients to a recorder or a replay: that of a project, or of a model server. */
export function recordingEnvironment({
  endpoint,
  caFile,
  caBundleFile,
  signIn,
}: Recorded): Record<string, string> {
  const isProject = /\/api\/projects\/[^/]+$/.test(endpoint);
  return {
    ...(isProject ? { FOUNDRY_PROJECT_ENDPOINT: endpoint, AZURE_AI_PROJECT_ENDPOINT: endpoint } : {}),
    OPENAI_BASE_URL: isProject ? `${endpoint}/openai/v1` : endpoint,
    ...(signIn === null
      ? {}
      : {
          FOUNDRY_PROJECT_API_KEY: signIn.apiKey,
          OPENAI_API_KEY: signIn.apiKey,
          IDENTITY_ENDPOINT: signIn.identityEndpoint,
          IDENTITY_HEADER: signIn.identityHeader,
          AZURE_TOKEN_CREDENTIALS: 'ManagedIdentityCredential',
        }),
    NODE_EXTRA_CA_CERTS: caFile,
    SSL_CERT_FILE: caBundleFile,
    REQUESTS_CA_BUNDLE: caBundleFile,
  };
}

const loopback = ['localhost', '127.0.0.1', '::1'];

/** The environment of a program run against the server: that of this process, with loopback kept off any proxy. */
export function programEnvironment(
  inherited: NodeJS.ProcessEnv,
  variables: Record<string, string>,
): NodeJS.ProcessEnv {
  const listed = (inherited.no_proxy ?? inherited.NO_PROXY ?? '').split(',').map((entry) => entry.trim());
  const noProxy = [...new Set([...listed.filter((entry) => entry !== ''), ...loopback])].join(',');
  const bundle = variables.SSL_CERT_FILE;
  return {
    ...inherited,
    ...variables,
    // curl prefers it, where set, to the variable that everything else reads.
    ...(inherited.CURL_CA_BUNDLE && bundle ? { CURL_CA_BUNDLE: bundle } : {}),
    NO_PROXY: noProxy,
    no_proxy: noProxy,
  };
}
