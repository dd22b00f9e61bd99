import Type, { type Static } from 'typebox';
import { Audit } from './config-audit.ts';
import { Identity } from './config-identity.ts';
import { LimitsFile } from './config-limits.ts';
import { DeploymentLimits, rateLimitsSchema } from './config-rate-limits.ts';
import { CustomRoles } from './config-roles.ts';
import { bound, closed, projectNameRule, Text } from './config-shapes.ts';
import { httpUrl, httpUrlRule, telemetryProtocols } from './config-telemetry.ts';
import {
  connectionName,
  connectionNameRule,
  connectionTarget,
  connectionTargetRule,
  connectionTypes,
  credentialTypes,
  customKeyName,
  customKeyNameRule,
  mostCustomKeys,
} from './kit/connection.ts';
import { projectName } from './kit/project-name.ts';
import { Metadata, OneOf } from './kit/schema.ts';

/**
 * The shape of `bloomery.yaml`: validation, the type of the parsed file and the documented defaults
 * all come from here. `docs/guide/configuration.md` is checked against it.
 */

/** Secrets stand outside the file: `what` is what is read, `name` the key that says where from. */
const Secret = (what: string, name: string) =>
  Type.Object(
    {
      env: Type.Optional(
        Text(
          /^[A-Za-z_][A-Za-z0-9_]*$/,
          'the name of an environment variable',
          `Environment variable that holds the ${what}.`,
        ),
      ),
      file: Type.Optional(
        Text(/^[^\n]+$/, 'the path of a file', `File that holds the ${what} and nothing else.`),
      ),
    },
    {
      ...closed,
      minProperties: 1,
      maxProperties: 1,
      rule: `not be the ${what} itself, but say where it is: \`${name}: { env: NAME_OF_VARIABLE }\` or \`${name}: { file: PATH }\``,
      description: `Where the ${what} is read from.`,
    },
  );

export type SecretEntry = Static<ReturnType<typeof Secret>>;

const Deployment = Type.Object(
  {
    name: Text(
      /^[A-Za-z0-9][A-Za-z0-9_.:/@+-]{0,127}$/,
      'a name of letters, digits and `_.:/@+-`, at most 128',
      'What clients send as `model`.',
    ),
    provider: OneOf('builtin', 'openai-compatible', 'azure-openai', 'anthropic', 'gguf'),
    model: Type.Optional(Text(/^[^\n]{1,256}$/, 'the name of a model', 'Name of the model upstream.')),
    baseUrl: Type.Optional(Text(httpUrl, httpUrlRule, 'Address of the model server.')),
    apiKey: Type.Optional(Secret('key', 'apiKey')),
    apiVersion: Type.Optional(
      Text(
        /^(v1|preview|\d{4}-\d{2}-\d{2}(-preview)?)$/,
        '`v1` or a dated version',
        "Azure OpenAI's own api-version.",
      ),
    ),
    timeoutSeconds: Type.Optional(Type.Number({ minimum: 1, maximum: 300, default: 120 })),
    contextTokens: Type.Optional(Type.Integer({ minimum: 256, maximum: 10_000_000 })),
    parallel: Type.Optional(Type.Integer({ minimum: 1, maximum: 64, default: 1 })),
    queue: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000, default: 32 })),
    threads: Type.Optional(Type.Integer({ minimum: 1, maximum: 1024 })),
    modelVersion: Type.Optional(Text(/^[^\n]{1,128}$/, 'a version', 'Version shown by `GET /deployments`.')),
    modelPublisher: Type.Optional(Text(/^[^\n]{1,128}$/, 'a name', 'Publisher shown by `GET /deployments`.')),
    limits: Type.Optional(DeploymentLimits),
  },
  closed,
);

const Telemetry = Type.Object(
  {
    endpoint: Type.Optional(Text(httpUrl, httpUrlRule, 'Address of the OTLP receiver.')),
    headers: Type.Optional(Secret('list of headers', 'headers')),
    protocol: Type.Optional({ ...OneOf(...telemetryProtocols), default: 'http/protobuf' }),
    content: Type.Optional(Type.Boolean({ default: false })),
    queueBytes: bound(65_536, 1_073_741_824, 16_777_216),
    flushSeconds: bound(0, 60, 3),
  },
  closed,
);

const Credentials = Type.Object(
  {
    type: OneOf(...credentialTypes),
    key: Type.Optional(Secret('key', 'key')),
    sas: Type.Optional(Secret('token', 'sas')),
    keys: Type.Optional(
      Type.Unsafe<Record<string, SecretEntry>>({
        type: 'object',
        propertyNames: { pattern: customKeyName.source, rule: `have ${customKeyNameRule}` },
        additionalProperties: Secret('key', 'NAME'),
        minProperties: 1,
        maxProperties: mostCustomKeys,
      }),
    ),
  },
  closed,
);

const Connection = Type.Object(
  {
    name: Text(connectionName, connectionNameRule, 'Name of the connection.'),
    project: Type.Optional(Text(projectName, projectNameRule, 'The only project that has it.')),
    type: OneOf(...connectionTypes),
    target: Text(connectionTarget, connectionTargetRule, 'Address or other identifier of the service.'),
    isDefault: Type.Optional(Type.Boolean({ default: false })),
    metadata: Type.Optional(Metadata),
    credentials: Type.Optional(Credentials),
  },
  closed,
);

const WebSearch = Type.Object(
  {
    provider: OneOf('searxng', 'brave', 'tavily', 'file'),
    baseUrl: Type.Optional(Text(httpUrl, httpUrlRule, 'Address of the search engine.')),
    apiKey: Type.Optional(Secret('key', 'apiKey')),
    path: Type.Optional(Text(/^[^\n]+$/, 'the path of a file', 'File with the pages that are searched.')),
  },
  closed,
);

const Blobs = Type.Object(
  {
    account: Type.Optional(
      Text(/^[a-z0-9]{3,24}$/, 'the name of a storage account', 'Name of the storage account.'),
    ),
    key: Type.Optional(Secret('key', 'key')),
    endpoint: Type.Optional(Text(httpUrl, httpUrlRule, 'Address of the blob service.')),
    sasMinutes: bound(1, 10_080, 1440),
    abandonedHours: bound(1, 8760, 168),
  },
  closed,
);

export const ConfigFile = Type.Object(
  {
    projects: Type.Optional(
      Type.Array(Text(projectName, projectNameRule, 'Name of a project.'), {
        minItems: 1,
        uniqueItems: true,
        default: ['default'],
      }),
    ),
    deployments: Type.Optional(Type.Array(Deployment, { default: [] })),
    discovery: Type.Optional(Type.Boolean({ default: true })),
    scenarios: Type.Optional(
      Type.Array(Text(/^[^\n]+$/, 'the path of a file', 'Scenario file.'), { default: [] }),
    ),
    tlsNames: Type.Optional(
      Type.Array(Text(/^[A-Za-z0-9.:*_-]{1,253}$/, 'a host name or an IP address', 'Host name or address.'), {
        default: [],
      }),
    ),
    connections: Type.Optional(Type.Array(Connection, { default: [] })),
    createProjectsOnUse: Type.Optional(Type.Boolean()),
    telemetry: Type.Optional(Telemetry),
    webSearch: Type.Optional(WebSearch),
    blobs: Type.Optional(Blobs),
    roles: Type.Optional(CustomRoles),
    audit: Type.Optional(Audit),
    identity: Type.Optional(Identity),
    outbound: Type.Optional(
      Type.Object(
        {
          allow: Type.Optional(
            Type.Array(Text(/^\S{1,253}$/, 'a host name, an address or a network', 'What tools may reach.'), {
              maxItems: 1000,
              default: [],
            }),
          ),
          hosts: Type.Optional(
            Type.Record(
              Type.String({ pattern: '^[A-Za-z0-9._-]{1,253}$' }),
              Text(
                /^https?:\/\/[^\s/?#@]+$/,
                'an origin such as http://10.0.0.5:8080',
                'What stands in for a host.',
              ),
              { maxProperties: 1000, additionalProperties: false },
            ),
          ),
        },
        closed,
      ),
    ),
    codeInterpreter: Type.Optional(
      Type.Object(
        {
          memoryMegabytes: bound(64, 4096, 512),
          timeoutSeconds: bound(1, 600, 60),
          outputBytes: bound(1024, 1_048_576, 262_144),
          idleMinutes: bound(1, 1440, 5),
          warm: bound(0, 1, 0),
        },
        closed,
      ),
    ),
    documents: Type.Optional(
      Type.Object(
        {
          concurrency: bound(1, 32, 2),
          memoryMegabytes: bound(256, 8192, 512),
          timeoutSeconds: bound(1, 600, 60),
        },
        closed,
      ),
    ),
    vectorStores: Type.Optional(
      Type.Object(
        {
          embeddings: Type.Optional(
            Type.String({
              pattern: '^[^\\n]{1,128}$',
              rule: 'be the name of a deployment, or `none`',
              description: 'The deployment that embeds what is in vector stores; `none` for none.',
              default: 'builtin',
            }),
          ),
          rewriteModel: Type.Optional(
            Text(
              /^[^\n]{1,128}$/,
              'the name of a deployment',
              'The deployment that rewrites search queries.',
            ),
          ),
          searchMegabytes: bound(64, 4096, 256),
          concurrency: bound(1, 32, 2),
          files: bound(1, 1_000_000, 10_000),
          attemptSeconds: bound(10, 3600, 600),
        },
        closed,
      ),
    ),
    rateLimits: Type.Optional(rateLimitsSchema(projectName, projectNameRule)),
    limits: Type.Optional(LimitsFile),
  },
  closed,
);

export type ConfigFile = Static<typeof ConfigFile>;
export type DeploymentEntry = Static<typeof Deployment>;
export type ConnectionEntry = Static<typeof Connection>;
export type WebSearchEntry = Static<typeof WebSearch>;
export type BlobsEntry = Static<typeof Blobs>;
export type TelemetryEntry = Static<typeof Telemetry>;

const ofModelFiles = ['contextTokens', 'parallel', 'queue', 'threads'] as const;

/** Keys that each provider cannot do without, and those that mean nothing to it. */
export const providerKeys = {
  builtin: { required: [], refused: ['baseUrl', 'apiKey', 'apiVersion', ...ofModelFiles] },
  'openai-compatible': { required: ['baseUrl'], refused: ['apiVersion', ...ofModelFiles] },
  'azure-openai': { required: ['baseUrl', 'apiKey'], refused: ofModelFiles },
  anthropic: { required: ['apiKey'], refused: ['apiVersion', ...ofModelFiles] },
  gguf: { required: ['model'], refused: ['baseUrl', 'apiKey', 'apiVersion', 'timeoutSeconds'] },
} as const satisfies Record<
  DeploymentEntry['provider'],
  { required: (keyof DeploymentEntry)[]; refused: readonly (keyof DeploymentEntry)[] }
>;
