/** What `bloomery.yaml` and the command line decide, parsed once into a typed object. */

import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { type AuditConfig, auditConfig } from './config-audit.ts';
import { type BlobsConfig, blobsConfig } from './config-blobs.ts';
import { type ConnectionConfig, connectionsConfig } from './config-connections.ts';
import { type IdentityConfig, identityConfig } from './config-identity.ts';
import { type Limits, limitsConfig } from './config-limits.ts';
import {
  type DeploymentLimitsConfig,
  deploymentLimitsConfig,
  type RateLimitsConfig,
  rateLimitsConfig,
} from './config-rate-limits.ts';
import { type RoleConfig, rolesConfig } from './config-roles.ts';
import {
  type BlobsEntry,
  ConfigFile,
  type DeploymentEntry,
  providerKeys,
  type SecretEntry,
  type TelemetryEntry,
  type WebSearchEntry,
} from './config-schema.ts';
import { defaultOf } from './config-shapes.ts';
import { type TelemetryConfig, telemetryConfig } from './config-telemetry.ts';
import { type WebSearchConfig, webSearchConfig } from './config-web-search.ts';
import { allowEntryFault } from './kit/allow-list.ts';
import { projectName } from './kit/project-name.ts';
import { createRoles, type Roles } from './trust/roles.ts';
import { ConfigError, type KeyPath, readYamlFile, type YamlFile } from './yaml-file.ts';

export type { AuditConfig } from './config-audit.ts';
export type { BlobsConfig } from './config-blobs.ts';
export type { ConnectionConfig } from './config-connections.ts';
export type { IdentityConfig } from './config-identity.ts';
export type { Limits } from './config-limits.ts';
export type { CallerLimits, DeploymentLimitsConfig, RateLimitsConfig } from './config-rate-limits.ts';
export type { RoleConfig } from './config-roles.ts';
export type { TelemetryConfig } from './config-telemetry.ts';
export type { WebSearchConfig } from './config-web-search.ts';
export { ConfigError } from './yaml-file.ts';

export type DeploymentProvider = 'builtin' | 'openai-compatible' | 'azure-openai' | 'anthropic' | 'gguf';

export interface DeploymentConfig {
  name: string;
  provider: DeploymentProvider;
  /** The upstream's name of the model; for `azure-openai` the upstream deployment. */
  model: string;
  baseUrl: string | null;
  /** The key itself, read from the environment variable or file that the configuration names. Never printed. */
  apiKey: string | null;
  /** Azure OpenAI's own api-version. */
  apiVersion: string | null;
  /** How long to wait for the first event, and between two of them. */
  timeoutSeconds: number;
  /** What `GET /deployments` says; null where the configuration says nothing. */
  modelVersion: string | null;
  modelPublisher: string | null;
  /** With provider `gguf`, and only there. */
  gguf?: GgufSettings;
  /** Where there are any. */
  limits?: DeploymentLimitsConfig;
}

/** A model file, and how it is run. */
export interface GgufSettings {
  /** Absolute path. */
  file: string;
  /** Tokens of one call, input and output together; null for what is usual. */
  contextTokens: number | null;
  /** Calls that run at once. */
  parallel: number;
  /** Calls that may wait for others to end; beyond it they are refused with 429. */
  queue: number;
  /** Threads of the processor; null for as many as it has cores. */
  threads: number | null;
}

export interface Config {
  /** Names of the projects served; the first is the default one, also reachable as `_project`. */
  projects: string[];
  /** Whether a project is made by the first request that names it; null for where only loopback is listened on. */
  createProjectsOnUse: boolean | null;
  deployments: DeploymentConfig[];
  connections: ConnectionConfig[];
  /** Whether to look for model servers on loopback and for keys in the environment. */
  discovery: boolean;
  /** Scenario files of the builtin model, as absolute paths. */
  scenarios: string[];
  /** Further names and addresses the TLS certificate is valid for. */
  tlsNames: string[];
  /** Where traces are sent; null for nowhere. */
  telemetry: TelemetryConfig | null;
  /** Where web search searches; null for nowhere. */
  webSearch: WebSearchConfig | null;
  blobs: BlobsConfig;
  /** Who may call besides holders of API keys. */
  identity: IdentityConfig;
  /** Hosts, addresses and networks that tools may reach although they would be refused. */
  outbound: { allow: string[]; hosts: Record<string, string> };
  codeInterpreter: CodeInterpreterConfig;
  documents: DocumentsConfig;
  vectorStores: VectorStoresConfig;
  rateLimits: RateLimitsConfig;
  limits: Limits;
  /** Roles beside Azure's own. */
  roles: RoleConfig[];
  audit: AuditConfig;
}

/** Bounds of the processes that read documents. */
export interface DocumentsConfig {
  /** Documents that are read at once, each in a process of its own. */
  concurrency: number;
  /** What such a process may hold, with all that is its own. */
  memoryMegabytes: number;
  /** How long one document may take. */
  timeoutSeconds: number;
}

/** How files are taken into vector stores. */
export interface VectorStoresConfig {
  /** The deployment that embeds; null for none. */
  embeddings: string | null;
  /** The deployment that rewrites queries where that is asked for; null for none. */
  rewriteModel: string | null;
  /** Memory that keeps searches fast. */
  searchMegabytes: number;
  /** Files that are taken in at once. */
  concurrency: number;
  /** Files that one store holds. */
  files: number;
  /** How long one attempt to take a file in may last. */
  attemptSeconds: number;
}

/** Bounds of the processes that run Python. */
export interface CodeInterpreterConfig {
  /** Memory that code may fill. */
  memoryMegabytes: number;
  /** How long one call may compute. */
  timeoutSeconds: number;
  /** What one call may print. */
  outputBytes: number;
  /** How long a process waits for the next call before it is put away. */
  idleMinutes: number;
  /** Processes kept ready, once code has been run: 0 or 1. */
  warm: number;
}

export interface LoadOptions {
  /** Path of `bloomery.yaml`; null for the built-in defaults. */
  file: string | null;
  environment: NodeJS.ProcessEnv;
  /** The default project, from the command line; it comes before those of the file. */
  project?: string | undefined;
  /** Whether to discover models where the file says nothing. */
  discovery?: boolean | undefined;
}

const keys = ConfigFile.properties;

/** Throws a `ConfigError` that names every fault with its place in the file. */
export function loadConfig(options: LoadOptions): Config {
  const { project } = options;
  if (project !== undefined && !projectName.test(project)) {
    throw new ConfigError([
      `--project: '${project}' is not a project name: letters, digits, '_', '.' and '-', at most 64, not '_project'`,
    ]);
  }
  const parsed = options.file === null ? null : readYamlFile<ConfigFile>(options.file, ConfigFile);
  const content = parsed?.content ?? {};
  const faults: string[] = [];
  const source = {
    parsed,
    faults,
    environment: options.environment,
    directory: dirname(resolve(options.file ?? '.')),
  };

  const given = content.projects ?? (project === undefined ? defaultOf<string[]>(keys.projects) : []);
  const projects = [...new Set(project === undefined ? given : [project, ...given])];
  const deployments = (content.deployments ?? []).map((entry, at) =>
    deploymentOf(entry, ['deployments', at], source),
  );
  refuseDuplicates(content.deployments ?? [], source);
  const connections = connectionsConfig(content.connections ?? [], {
    projects,
    secret(from, path) {
      const { value, place, at } = secretOf(from, path, source);
      return { value, place, fault: (message) => fault(source, at, message) };
    },
    fault: (path, message) => fault(source, path, message),
  });
  const scenarios = (content.scenarios ?? []).map((path, at) =>
    existingFile(path, ['scenarios', at], source),
  );
  const telemetry = telemetryOf(content.telemetry ?? {}, source);
  const webSearch = content.webSearch === undefined ? null : webSearchOf(content.webSearch, source);
  const blobs = blobsOf(content.blobs ?? {}, source);
  const identity = identityConfig(
    content.identity ?? {},
    rolesOf(rolesConfig(content.roles ?? []), source),
    (path, message) => fault(source, ['identity', ...path], message),
  );
  const allow = content.outbound?.allow ?? [];
  for (const [at, entry] of allow.entries()) {
    const wrong = allowEntryFault(entry);
    if (wrong !== null) fault(source, ['outbound', 'allow', at], wrong);
  }
  if (faults.length > 0) throw new ConfigError(faults);

  return {
    projects,
    createProjectsOnUse: content.createProjectsOnUse ?? null,
    deployments,
    connections,
    discovery: content.discovery ?? options.discovery ?? defaultOf<boolean>(keys.discovery),
    scenarios,
    tlsNames: content.tlsNames ?? [],
    telemetry,
    webSearch,
    blobs,
    identity,
    outbound: { allow, hosts: content.outbound?.hosts ?? {} },
    codeInterpreter: codeInterpreterOf(content.codeInterpreter ?? {}),
    documents: documentsOf(content.documents ?? {}),
    vectorStores: vectorStoresOf(content.vectorStores ?? {}),
    rateLimits: rateLimitsConfig(content.rateLimits),
    limits: limitsConfig(content.limits ?? {}),
    roles: rolesConfig(content.roles ?? []),
    audit: auditConfig(content.audit ?? {}),
  };
}

interface Source {
  parsed: YamlFile<ConfigFile> | null;
  faults: string[];
  environment: NodeJS.ProcessEnv;
  directory: string;
}

function fault(source: Source, path: KeyPath, message: string): void {
  source.faults.push(source.parsed?.fault(path, message) ?? message);
}

function rolesOf(given: RoleConfig[], source: Source): Roles {
  try {
    return createRoles(given);
  } catch (error) {
    fault(source, ['roles'], (error as Error).message);
    return createRoles();
  }
}

function codeInterpreterOf(given: Partial<CodeInterpreterConfig>): CodeInterpreterConfig {
  const schemas = keys.codeInterpreter.properties;
  const bound = (name: keyof CodeInterpreterConfig): number =>
    given[name] ?? defaultOf<number>(schemas[name]);
  return {
    memoryMegabytes: bound('memoryMegabytes'),
    timeoutSeconds: bound('timeoutSeconds'),
    outputBytes: bound('outputBytes'),
    idleMinutes: bound('idleMinutes'),
    warm: bound('warm'),
  };
}

function documentsOf(given: Partial<DocumentsConfig>): DocumentsConfig {
  const schemas = keys.documents.properties;
  const bound = (name: keyof DocumentsConfig): number => given[name] ?? defaultOf<number>(schemas[name]);
  return {
    concurrency: bound('concurrency'),
    memoryMegabytes: bound('memoryMegabytes'),
    timeoutSeconds: bound('timeoutSeconds'),
  };
}

function vectorStoresOf(given: NonNullable<ConfigFile['vectorStores']>): VectorStoresConfig {
  const schemas = keys.vectorStores.properties;
  const bound = (name: 'searchMegabytes' | 'concurrency' | 'files' | 'attemptSeconds'): number =>
    given[name] ?? defaultOf<number>(schemas[name]);
  const embeddings = given.embeddings ?? defaultOf<string>(schemas.embeddings);
  return {
    embeddings: embeddings === 'none' ? null : embeddings,
    rewriteModel: given.rewriteModel ?? null,
    searchMegabytes: bound('searchMegabytes'),
    concurrency: bound('concurrency'),
    files: bound('files'),
    attemptSeconds: bound('attemptSeconds'),
  };
}

function telemetryOf(given: TelemetryEntry, source: Source): TelemetryConfig | null {
  const schemas = keys.telemetry.properties;
  const { headers } = given;
  return telemetryConfig(
    given,
    {
      content: defaultOf<boolean>(schemas.content),
      queueBytes: defaultOf<number>(schemas.queueBytes),
      flushSeconds: defaultOf<number>(schemas.flushSeconds),
    },
    {
      environment: source.environment,
      headers:
        headers === undefined ? null : (secretOf(headers, ['telemetry', 'headers'], source).value ?? null),
      fault(about, message) {
        if (about === null) source.faults.push(message);
        else fault(source, ['telemetry', about], message);
      },
    },
  );
}

const webSearchOf = (given: WebSearchEntry, source: Source): WebSearchConfig =>
  webSearchConfig(given, {
    secret: (from) => apiKeyOf(from, ['webSearch', 'apiKey'], source),
    file: (path) => existingFile(path, ['webSearch', 'path'], source),
    fault: (about, message) => fault(source, about === null ? ['webSearch'] : ['webSearch', about], message),
  });

const blobsOf = (given: BlobsEntry, source: Source): BlobsConfig =>
  blobsConfig(
    given,
    {
      sasMinutes: defaultOf<number>(keys.blobs.properties.sasMinutes),
      abandonedHours: defaultOf<number>(keys.blobs.properties.abandonedHours),
    },
    {
      secret: (from) => apiKeyOf(from, ['blobs', 'key'], source),
      fault: (about, message) => fault(source, ['blobs', about], message),
    },
  );

function deploymentOf(entry: DeploymentEntry, path: KeyPath, source: Source): DeploymentConfig {
  const rules = providerKeys[entry.provider];
  for (const key of rules.required) {
    if (entry[key] === undefined)
      fault(source, path, `the key '${key}' is missing; provider '${entry.provider}' needs it`);
  }
  for (const key of rules.refused) {
    if (entry[key] !== undefined)
      fault(source, [...path, key], `has no meaning for provider '${entry.provider}'`);
  }
  const gguf = entry.provider === 'gguf' ? { gguf: ggufOf(entry, path, source) } : {};
  return {
    name: entry.name,
    provider: entry.provider,
    // A path of this server is for nobody else to see.
    model: modelOf(entry),
    baseUrl: entry.baseUrl?.replace(/\/+$/, '') ?? null,
    apiKey: entry.apiKey === undefined ? null : apiKeyOf(entry.apiKey, [...path, 'apiKey'], source),
    apiVersion: entry.apiVersion ?? null,
    timeoutSeconds:
      entry.timeoutSeconds ?? defaultOf<number>(keys.deployments.items.properties.timeoutSeconds),
    modelVersion: entry.modelVersion ?? null,
    modelPublisher: entry.modelPublisher ?? null,
    ...gguf,
    ...(entry.limits === undefined ? {} : { limits: deploymentLimitsConfig(entry.limits) }),
  };
}

function modelOf({ provider, model, name }: DeploymentEntry): string {
  if (provider === 'gguf' && model !== undefined) return basename(model).replace(/\.gguf$/i, '');
  return model ?? (provider === 'builtin' ? 'builtin' : name);
}

function ggufOf(entry: DeploymentEntry, path: KeyPath, source: Source): GgufSettings {
  const { parallel, queue } = keys.deployments.items.properties;
  return {
    file: entry.model === undefined ? '' : existingFile(entry.model, [...path, 'model'], source),
    contextTokens: entry.contextTokens ?? null,
    parallel: entry.parallel ?? defaultOf<number>(parallel),
    queue: entry.queue ?? defaultOf<number>(queue),
    threads: entry.threads ?? null,
  };
}

function apiKeyOf(from: SecretEntry, path: KeyPath, source: Source): string | null {
  const { value: key, place, at } = secretOf(from, path, source);
  if (key === undefined) return null;
  if (!/^[\x21-\x7e]+$/.test(key)) {
    fault(source, at, `${place} must hold a key: one line of printable characters without spaces`);
  }
  return key;
}

/** What a variable or a file holds, where it was looked for, and the key that says so; tells what isn't there. */
function secretOf(from: SecretEntry, path: KeyPath, source: Source) {
  const [kind, place] =
    from.env === undefined ? (['file', from.file ?? ''] as const) : (['env', from.env] as const);
  const at = [...path, kind];
  const value = (kind === 'env' ? source.environment[place] : secretFile(place, at, source))?.trim();
  if (value === undefined && kind === 'env') {
    fault(source, at, `the environment variable ${place} is not set`);
  }
  return { value, place, at };
}

function secretFile(path: string, at: KeyPath, source: Source): string | undefined {
  try {
    return readFileSync(resolve(source.directory, path), 'utf8');
  } catch (error) {
    fault(source, at, `cannot be read: ${(error as Error).message}`);
    return undefined;
  }
}

function existingFile(path: string, at: KeyPath, source: Source): string {
  const absolute = resolve(source.directory, path);
  if (!statSync(absolute, { throwIfNoEntry: false })?.isFile())
    fault(source, at, `there is no file '${absolute}'`);
  return absolute;
}

function refuseDuplicates(entries: DeploymentEntry[], source: Source): void {
  const seen = new Set<string>();
  for (const [at, { name }] of entries.entries()) {
    if (seen.has(name))
      fault(source, ['deployments', at, 'name'], `another deployment is already named '${name}'`);
    seen.add(name);
  }
}
