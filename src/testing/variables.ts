/** What `bloomery exec` tells its program of the server: the variables of the official clients, and those of proxies. */
const names = [
  'FOUNDRY_PROJECT_ENDPOINT',
  'AZURE_AI_PROJECT_ENDPOINT',
  'FOUNDRY_MODEL_NAME',
  'AZURE_AI_MODEL_DEPLOYMENT_NAME',
  'MODEL_DEPLOYMENT_NAME',
  'FOUNDRY_PROJECT_API_KEY',
  'OPENAI_BASE_URL',
  'OPENAI_API_KEY',
  'IDENTITY_ENDPOINT',
  'IDENTITY_HEADER',
  'AZURE_TOKEN_CREDENTIALS',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'REQUESTS_CA_BUNDLE',
  'NO_PROXY',
  'no_proxy',
] as const;

export type Variables = Record<(typeof names)[number], string>;

/** Of the environment of a program that `bloomery exec` runs, what is about the server. */
export function serverVariables(environment: NodeJS.ProcessEnv): Variables {
  const missing = names.filter((name) => environment[name] === undefined);
  if (missing.length > 0) throw new Error(`\`bloomery exec\` sets no ${missing.join(', ')}.`);
  return Object.fromEntries(names.map((name) => [name, environment[name]])) as Variables;
}

/** The same for another project of the server. */
export function projectVariables(variables: Variables, endpoint: string): Variables {
  return {
    ...variables,
    FOUNDRY_PROJECT_ENDPOINT: endpoint,
    AZURE_AI_PROJECT_ENDPOINT: endpoint,
    OPENAI_BASE_URL: `${endpoint}/openai/v1`,
  };
}
