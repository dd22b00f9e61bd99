/** Every command and option, declared once: parsing, types and `--help` follow from here. */

import { contentOptions, fileOptions, resourceCommand, runOptions } from './resource-commands.ts';

export interface Option {
  kind: 'text' | 'flag' | 'port';
  /** What stands for the value in the help. */
  value?: string;
  about: string;
  default?: string | number;
  choices?: readonly string[];
  /** Whether it may be given several times; the values are then joined by commas. */
  many?: boolean;
}

export interface Command {
  summary: string;
  usage: string;
  /** Further paragraphs of the help. */
  notes: readonly string[];
  options: Record<string, Option>;
  /** Whether a program to run follows after `--`. */
  takesProgram: boolean;
  /** How many words may stand beside the options; none unless said. */
  mostWords?: number;
}

const logLevels = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
const logLevelAbout = 'how much to log to stderr';

const data = {
  kind: 'text',
  value: 'DIR',
  about: 'the data directory, made when missing',
  default: '.bloomery',
} as const satisfies Option;

const config = {
  kind: 'text',
  value: 'FILE',
  about: 'the configuration; without it ./bloomery.yaml, where present',
} as const satisfies Option;

const deployment = {
  kind: 'text',
  value: 'NAME',
  about: 'the model deployment to name to clients; the first one found unless given',
} as const satisfies Option;

const listening = {
  host: { kind: 'text', value: 'ADDRESS', about: 'the address to listen on', default: '127.0.0.1' },
  project: { kind: 'text', value: 'NAME', about: 'the default project; `default` unless configured' },
  'api-key': { kind: 'text', value: 'KEY', about: 'for this run, the only valid API key (for development)' },
  faults: { kind: 'text', value: 'FILE', about: 'a fault plan: what is to go wrong, on purpose' },
} as const satisfies Record<string, Option>;

const recordingData = {
  kind: 'text',
  value: 'DIR',
  about: 'the data directory whose certificate is used; .bloomery unless given, a temporary one with COMMAND',
} as const satisfies Option;

const recordingReady = {
  kind: 'flag',
  about: 'when ready, print one line of JSON (endpoint, caFile, apiKey, pid) and nothing else',
} as const satisfies Option;

export const commands = {
  serve: {
    summary: 'start the server',
    usage: 'bloomery serve [options]',
    notes: [
      'HTTPS and plain HTTP are served on the same port, plain HTTP to loopback clients only.',
      'SIGINT and SIGTERM end it in good order; a second one at once.',
    ],
    options: {
      port: { kind: 'port', value: 'PORT', about: 'the port; 0 takes any free one', default: 8600 },
      ...listening,
      data,
      config,
      'log-level': {
        kind: 'text',
        value: 'LEVEL',
        about: logLevelAbout,
        default: 'info',
        choices: logLevels,
      },
      json: {
        kind: 'flag',
        about: 'when ready, print one line of JSON (endpoint, apiKey, caFile, dataDir, pid) and nothing else',
      },
    },
    takesProgram: false,
  },
  env: {
    summary: 'print the variables that point clients at the running server',
    usage: 'bloomery env [options]',
    notes: ['In a POSIX shell: eval "$(bloomery env)"'],
    options: {
      format: {
        kind: 'text',
        value: 'FORMAT',
        about: 'the syntax to print',
        default: 'shell',
        choices: ['shell', 'json', 'dotenv', 'powershell'],
      },
      data: { ...data, about: 'the data directory of the server' },
      deployment,
    },
    takesProgram: false,
  },
  exec: {
    summary: 'run a command against a throw-away server',
    usage: 'bloomery exec [options] -- COMMAND [ARGUMENT...]',
    notes: [
      'The server has temporary data, a free port, and only the builtin model unless --config names others, so that runs are repeatable. It ends with COMMAND, whose exit code is passed on.',
    ],
    options: {
      port: { kind: 'port', value: 'PORT', about: 'the port; 0 takes any free one', default: 0 },
      ...listening,
      data: {
        kind: 'text',
        value: 'DIR',
        about: 'a data directory to use and keep, instead of a temporary one',
      },
      config: { ...config, about: 'the configuration; ./bloomery.yaml is not looked for' },
      deployment,
      'log-level': {
        kind: 'text',
        value: 'LEVEL',
        about: logLevelAbout,
        default: 'error',
        choices: logLevels,
      },
    },
    takesProgram: true,
  },
  doctor: {
    summary: 'say what is wrong, and how to fix it',
    usage: 'bloomery doctor [options]',
    notes: ['Nothing is changed. The exit code is 0 when all is well and 1 when there is a problem.'],
    options: {
      port: { kind: 'port', value: 'PORT', about: 'the port that the server is to have', default: 8600 },
      host: listening.host,
      data: { ...data, about: 'the data directory to look at' },
      config,
      json: { kind: 'flag', about: 'print the findings as one line of JSON' },
    },
    takesProgram: false,
  },
  secrets: {
    summary: 'replace the keys of secrets or tokens, while no server runs',
    usage: 'bloomery secrets rotate [options]',
    notes: [
      'Secrets of connections are sealed anew. Content that clients carry for the server stays readable, unless --forget is given.',
    ],
    options: {
      data: { ...data, about: 'the data directory' },
      tokens: {
        kind: 'flag',
        about:
          'instead, the key that tokens of this server are signed with, and the secret of its identity endpoint',
      },
      forget: {
        kind: 'flag',
        about: 'remove the older keys, and with them what only they can open or verify',
      },
      json: { kind: 'flag', about: 'print one line of JSON' },
    },
    takesProgram: false,
    mostWords: 1,
  },
  purge: {
    summary: 'remove what deletions have left behind, or prove that nothing is left',
    usage: 'bloomery purge [options]',
    notes: [
      'For a data directory whose server is stopped. The exit code is 0 when nothing is left and 1 when something is.',
    ],
    options: {
      verify: { kind: 'flag', about: 'only look, and change nothing' },
      contains: {
        kind: 'text',
        value: 'TEXT',
        about: 'also look for this text in every byte of the directory',
      },
      data: { ...data, about: 'the data directory' },
      config,
      json: { kind: 'flag', about: 'print one line of JSON' },
    },
    takesProgram: false,
  },
  connection: {
    summary: 'list, set and delete the stored connections of the running server',
    usage: 'bloomery connection list | set NAME [options] | delete NAME',
    notes: [
      'Secrets are read from a variable or a file, since others can see a command line. `set` replaces the whole connection; without credentials it has none.',
    ],
    options: {
      data: { ...data, about: 'the data directory of the server' },
      project: { ...listening.project, about: 'the project; the default one of the server unless given' },
      type: { kind: 'text', value: 'TYPE', about: 'set: AzureOpenAI, CognitiveSearch, CustomKeys, …' },
      target: { kind: 'text', value: 'ADDRESS', about: 'set: the address of the service' },
      default: { kind: 'flag', about: 'set: make it the default connection of its type' },
      metadata: { kind: 'text', value: 'NAME=VALUE,...', about: 'set: what clients see with it' },
      'key-env': { kind: 'text', value: 'VARIABLE', about: 'set: the variable that holds its key' },
      credentials: {
        kind: 'text',
        value: 'FILE',
        about: 'set: a file of its credentials as the API shows them, JSON with a `type`; - for stdin',
      },
      json: { kind: 'flag', about: 'print one line of JSON' },
    },
    takesProgram: false,
    mostWords: 2,
  },
  audit: {
    summary: 'see whether the audit log is whole',
    usage: 'bloomery audit verify [options]',
    notes: [
      'Every line carries a MAC over itself and the line before it, and its number; where the log ends is noted apart from it. So a line changed, put in, taken out or cut off the end shows. The key is one of the secrets of the server: with BLOOMERY_SEALING_KEY for the server, set it here as well.',
    ],
    options: {
      data: { ...data, about: 'the data directory of the server' },
      verify: { kind: 'flag', about: 'the same as the word' },
      json: { kind: 'flag', about: 'print one line of JSON' },
    },
    takesProgram: false,
    mostWords: 2,
  },
  key: {
    summary: 'list, make, replace and revoke API keys',
    usage: 'bloomery key list | create NAME [options] | rotate NAME [options] | revoke NAME',
    notes: [
      'Through the running server; where none runs, in the files of the data directory. A key is shown once, when it is made.',
      "A key has a role everywhere, or in some projects: bloomery key create ci --role 'Azure AI User' --project tests --expires 30d",
    ],
    options: {
      data,
      config: {
        ...config,
        about: 'the configuration with roles of its own; without it ./bloomery.yaml, where present',
      },
      role: { kind: 'text', value: 'ROLE', about: 'create: a role; Azure AI User unless given', many: true },
      project: {
        kind: 'text',
        value: 'NAME',
        about: 'create: a project where the role holds; everywhere unless given',
        many: true,
      },
      expires: { kind: 'text', value: 'TIME', about: 'create: after how long it expires, such as 30d' },
      grace: {
        kind: 'text',
        value: 'TIME',
        about: 'rotate: how long the key that there was goes on being good, such as 1h',
      },
      json: { kind: 'flag', about: 'print one line of JSON' },
    },
    takesProgram: false,
    mostWords: 2,
  },
  token: {
    summary: 'print an access token',
    usage: 'bloomery token [options]',
    notes: [
      'Of a user or app of the configuration (`identity`), or, with neither, of the owner of the data directory, who may do everything.',
    ],
    options: {
      data: { ...data, about: 'the data directory of the server' },
      config,
      user: { kind: 'text', value: 'NAME', about: 'the user' },
      app: { kind: 'text', value: 'NAME', about: 'the app' },
      audience: {
        kind: 'text',
        value: 'AUDIENCE',
        about: 'whom the token is for',
        default: 'https://ai.azure.com',
      },
      lifetime: { kind: 'text', value: 'TIME', about: 'how long it is good for, up to 24h', default: '1h' },
      json: { kind: 'flag', about: 'print one line of JSON (accessToken, expiresAt)' },
    },
    takesProgram: false,
  },
  project: {
    summary: 'list, make, fork, reset, delete and move the projects of the running server',
    usage: 'bloomery project list | fork ORIGIN NAME | ACTION NAME [options]',
    notes: [
      'ACTION is create, reset, delete, export or import.',
      'A fork has all that its origin has, by the same ids, and is a project of its own. `reset` brings a fork back to what its origin has, and any other project to nothing.',
      'A passphrase is taken from BLOOMERY_PASSPHRASE, or asked for. Archives with secrets need it when they are read.',
    ],
    options: {
      data: { ...data, about: 'the data directory of the server' },
      to: {
        kind: 'text',
        value: 'STATE',
        about: 'reset: `empty`, or `origin` for what the origin of a fork has',
        choices: ['empty', 'origin'],
      },
      file: {
        kind: 'text',
        value: 'FILE',
        about: 'export: the archive to write, NAME.tar unless given; import: the archive to read',
      },
      'with-secrets': {
        kind: 'flag',
        about: 'export: with the secrets of connections and tools, sealed under a passphrase',
      },
      yes: { kind: 'flag', about: 'delete, reset: do it' },
      json: { kind: 'flag', about: 'print one line of JSON' },
    },
    takesProgram: false,
    mostWords: 3,
  },
  record: {
    summary: 'record what goes between clients and a real service',
    usage: 'bloomery record --upstream URL --out FILE [options] [-- COMMAND [ARGUMENT...]]',
    notes: [
      'Stands in front of a Foundry project or a model server, at the same path. What goes over the wire is passed on and stored, secrets scrubbed. It ends with COMMAND, or by a signal.',
      "Clients' own credentials go to the upstream, unless --key-env or --token-env names what to use in their place.",
    ],
    options: {
      upstream: { kind: 'text', value: 'URL', about: 'the endpoint to stand in front of; required' },
      out: { kind: 'text', value: 'FILE', about: 'the recording to make; required' },
      'key-env': { kind: 'text', value: 'VARIABLE', about: 'the variable with the API key for the upstream' },
      'token-env': {
        kind: 'text',
        value: 'VARIABLE',
        about: 'the variable with the bearer token for the upstream',
      },
      'upstream-ca': {
        kind: 'text',
        value: 'FILE',
        about: 'the certificates to trust the upstream by, instead of the usual ones',
      },
      port: { kind: 'port', value: 'PORT', about: 'the port; 0 takes any free one', default: 8601 },
      data: recordingData,
      json: recordingReady,
    },
    takesProgram: true,
  },
  replay: {
    summary: 'serve a recording, with no network',
    usage: 'bloomery replay FILE [options] [-- COMMAND [ARGUMENT...]]',
    notes: [
      'The answers are those of the recording, in its order and its chunks. What is not in it is 404 with the nearest recorded request, and how that differs. Any credential will do.',
    ],
    options: {
      lenient: {
        kind: 'flag',
        about:
          'take requests in any order, repeat last answers, and pass over what is no part of the question',
      },
      timing: { kind: 'flag', about: 'let answers take as long as they did' },
      port: { kind: 'port', value: 'PORT', about: 'the port; 0 takes any free one', default: 8601 },
      data: recordingData,
      json: recordingReady,
    },
    takesProgram: true,
    mostWords: 1,
  },
  drift: {
    summary: 'list where the answers of two recordings differ',
    usage: 'bloomery drift A B [options]',
    notes: ['The exit code is 1 when a difference breaks clients of A, by the rules of the API, else 0.'],
    options: { json: { kind: 'flag', about: 'print one line of JSON' } },
    takesProgram: false,
    mostWords: 2,
  },
  agents: resourceCommand('agents', {}),
  conversations: resourceCommand('conversations', {}),
  responses: resourceCommand('responses', runOptions),
  files: resourceCommand('files', fileOptions),
  'vector-stores': resourceCommand('vector-stores', {}),
  containers: resourceCommand('containers', contentOptions),
  datasets: resourceCommand('datasets', {}),
  indexes: resourceCommand('indexes', {}),
  deployments: resourceCommand('deployments', {}),
} as const satisfies Record<string, Command>;

export type CommandName = keyof typeof commands;

export const commandNames = Object.keys(commands) as CommandName[];

type ValueOf<O extends Option> = O extends { kind: 'flag' }
  ? boolean
  : O extends { kind: 'port' }
    ? number
    : O extends { choices: readonly (infer Choice)[] }
      ? Choice
      : O extends { default: string }
        ? string
        : string | null;

type OptionsOf<Name extends CommandName> = (typeof commands)[Name]['options'];

/** The values of all options of a command, defaults filled in; null where nothing was given. */
export type Values<Name extends CommandName> = {
  [Key in keyof OptionsOf<Name>]: OptionsOf<Name>[Key] extends Option ? ValueOf<OptionsOf<Name>[Key]> : never;
};
