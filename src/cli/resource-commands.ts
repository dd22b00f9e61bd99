/** How the commands of resources are declared: all have the same options, and some have more. */
import type { Option } from './commands.ts';
import { type Resource, type ResourceName, resources } from './resources.ts';

const options = {
  data: {
    kind: 'text',
    value: 'DIR',
    about: 'the data directory of the running server',
    default: '.bloomery',
  },
  endpoint: {
    kind: 'text',
    value: 'URL',
    about:
      'the endpoint of a project anywhere instead, `env` for what FOUNDRY_PROJECT_ENDPOINT says; its key is in FOUNDRY_PROJECT_API_KEY',
  },
  'token-env': {
    kind: 'text',
    value: 'VARIABLE',
    about: 'with --endpoint: the variable that holds a bearer token, instead of a key',
  },
  project: { kind: 'text', value: 'NAME', about: 'another project than that of the endpoint' },
  file: { kind: 'text', value: 'FILE', about: 'the body of what is made or changed, JSON; - for stdin' },
  limit: { kind: 'text', value: 'NUMBER', about: 'how many elements to list at most', default: '1000' },
  json: { kind: 'flag', about: 'print one line of JSON' },
} as const satisfies Record<string, Option>;

export const runOptions = {
  agent: { kind: 'text', value: 'NAME', about: 'run: the agent to ask' },
  model: {
    kind: 'text',
    value: 'NAME',
    about: 'run: the model deployment to ask; without it and an agent, what FOUNDRY_MODEL_NAME says',
  },
  conversation: { kind: 'text', value: 'ID', about: 'run: the conversation to go on with' },
  background: { kind: 'flag', about: 'run: in the background, so that it outlives a lost connection' },
} as const satisfies Record<string, Option>;

export const contentOptions = {
  output: { kind: 'text', value: 'FILE', about: 'download: where to write to, instead of stdout' },
} as const satisfies Record<string, Option>;

export const fileOptions = {
  ...contentOptions,
  purpose: { kind: 'text', value: 'PURPOSE', about: 'upload: what the file is for', default: 'assistants' },
} as const satisfies Record<string, Option>;

export function resourceCommand<const O extends Record<string, Option>>(name: ResourceName, own: O) {
  const { summary }: Resource = resources[name];
  return {
    summary: `work with ${summary}`,
    usage: `bloomery ${name} ACTION [NAME...] [options]`,
    notes: ['Bodies and answers are as in the API. Requests that failed in passing are repeated.'],
    options: { ...options, ...own },
    takesProgram: false,
    mostWords: 3,
  };
}
