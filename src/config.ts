/** What `bloomery.yaml` and the command line decide, parsed once into a typed object. */

import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type ConnectionConfig, connectionsConfig } from './config-connections.ts';
import {
  ConfigFile,
  type DeploymentEntry,
  defaultOf,
  projectName,
  providerKeys,
  type SecretEntry,
  type TelemetryEntry,
} from './config-schema.ts';
import { type TelemetryConfig, telemetryConfig } from './config-telemetry.ts';
import { ConfigError, type KeyPath, readYamlFile, type YamlFile } from './yaml-file.ts';

export type { ConnectionConfig } from './config-connections.ts';
export type { TelemetryConfig } from './config-telemetry.ts';
export { ConfigError } from './yaml-file.ts';

export type DeploymentProvider = 'builtin' | 'openai-compatible' | 'azure-openai' | 'anthropic';

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
}

/** Every bound of the server, by name, so that an operator can move it. */
export interface Limits {
  /** Largest request body, in bytes. */
  bodyBytes: number;
  /** Requests under way at once; more are refused with 503 and `Retry-After`. */
  concurrentRequests: number;
  /** How long a response may hold its conversation without a sign of life, in seconds. */
  conversationLeaseSeconds: number;
  /** How long a turn waits for a conversation that is held, in seconds, before it is refused. */
  conversationWaitSeconds: number;
  /** How long a stopping server waits for requests under way, in seconds. */
  drainSeconds: number;
  /** Items that one response may take from its conversation or chain of responses. */
  contextItems: number;
  /** Background responses that run at once; further ones wait in a queue. */
  backgroundConcurrency: number;
  /** Background responses that may wait; beyond it they are refused with 429. */
  backgroundQueue: number;
  /** How long the event log of a response is kept whole, in days. */
  eventLogDays: number;
}

export interface Config {
  /** Names of the projects served; the first is the default one, also reachable as `_project`. */
  projects: string[];
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
  limits: Limits;
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
  if (faults.length > 0) throw new ConfigError(faults);

  return {
    projects,
    deployments,
    connections,
    discovery: content.discovery ?? options.discovery ?? defaultOf<boolean>(keys.discovery),
    scenarios,
    tlsNames: content.tlsNames ?? [],
    telemetry,
    limits: limitsOf(content.limits ?? {}),
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

function limitsOf(given: Partial<Limits>): Limits {
  const schemas = keys.limits.properties;
  const limit = (name: keyof Limits): number => given[name] ?? defaultOf<number>(schemas[name]);
  return {
    bodyBytes: limit('bodyBytes'),
    concurrentRequests: limit('concurrentRequests'),
    conversationLeaseSeconds: limit('conversationLeaseSeconds'),
    conversationWaitSeconds: limit('conversationWaitSeconds'),
    drainSeconds: limit('drainSeconds'),
    contextItems: limit('contextItems'),
    backgroundConcurrency: limit('backgroundConcurrency'),
    backgroundQueue: limit('backgroundQueue'),
    eventLogDays: limit('eventLogDays'),
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
  return {
    name: entry.name,
    provider: entry.provider,
    model: entry.model ?? (entry.provider === 'builtin' ? 'builtin' : entry.name),
    baseUrl: entry.baseUrl?.replace(/\/+$/, '') ?? null,
    apiKey: entry.apiKey === undefined ? null : apiKeyOf(entry.apiKey, [...path, 'apiKey'], source),
    apiVersion: entry.apiVersion ?? null,
    timeoutSeconds:
      entry.timeoutSeconds ?? defaultOf<number>(keys.deployments.items.properties.timeoutSeconds),
    modelVersion: entry.modelVersion ?? null,
    modelPublisher: entry.modelPublisher ?? null,
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
