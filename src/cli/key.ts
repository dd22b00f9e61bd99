import type { KeyDescription, NewKey } from '../trust/api-keys.ts';
import type { Grant } from '../trust/principal.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { seconds } from './duration.ts';
import { exitCodes } from './exit-codes.ts';
import { inColumns } from './in-columns.ts';
import { type KeyCalls, withKeys } from './key-calls.ts';

type Given = Arguments<'key'>;
type Values = Given['values'];

const actions = ['list', 'create', 'rotate', 'revoke'] as const;
type Action = (typeof actions)[number];

/** What an option is for; without effect on other actions it would mislead. */
const optionsOf = { role: 'create', project: 'create', expires: 'create', grace: 'rotate' } as const;

const usualRole = 'Azure AI User';
const longestGrace = 30 * 86_400;
const longestLife = 3650 * 86_400;

export async function key({ values, words }: Given): Promise<number> {
  const [given, name = ''] = words;
  const action = actions.find((one) => one === given);
  if (action === undefined) {
    throw wrong(`Say what to do: ${actions.join(', ')}${given === undefined ? '' : `, not '${given}'`}.`);
  }
  if (action === 'list' && name !== '') throw wrong(`\`list\` takes no name '${name}'.`);
  if (action !== 'list' && name === '') throw wrong(`Which key? ${action} NAME`);
  refuseIdleOptions(action, values);
  const act = calls(action, name, values);
  process.stdout.write(`${await withKeys(values, act)}\n`);
  return exitCodes.ok;
}

const wrong = (message: string): UsageError => new UsageError(message, 'key');

function refuseIdleOptions(action: Action, values: Values): void {
  for (const [option, of] of Object.entries(optionsOf)) {
    if (of !== action && values[option as keyof typeof optionsOf] !== null) {
      throw wrong(`--${option} is for \`${of}\`, not for \`${action}\`.`);
    }
  }
}

/** Options are read here, before anything is called. */
function calls(action: Action, name: string, values: Values): (keys: KeyCalls) => Promise<string> {
  const { json } = values;
  switch (action) {
    case 'list':
      return async (keys) => (json ? JSON.stringify(await keys.list()) : table(await keys.list()));
    case 'create': {
      const lifetimeSeconds = secondsOf('expires', values.expires, longestLife);
      const wanted = { name, grants: grantsOf(values), lifetimeSeconds };
      return async (keys) => shown(await keys.create(wanted), json, 'made');
    }
    case 'rotate': {
      const grace = secondsOf('grace', values.grace, longestGrace) ?? 0;
      return async (keys) => shown(await keys.rotate(name, grace), json, 'replaced');
    }
    case 'revoke':
      return async (keys) => {
        await keys.revoke(name);
        return json ? JSON.stringify({ name, revoked: true }) : `API key '${name}' is revoked.`;
      };
  }
}

function secondsOf(option: 'expires' | 'grace', text: string | null, most: number): number | null {
  if (text === null) return null;
  const found = seconds(text);
  if (found !== null && found > 0 && found <= most) return found;
  throw wrong(
    `--${option} must be a time such as 90s, 15m, 1h or 30d, up to ${most / 86_400}d, not '${text}'.`,
  );
}

/** Every role in every project. */
function grantsOf({ role, project }: Values): { role: string; project: string | null }[] {
  const projects = project?.split(',') ?? [null];
  return (role ?? usualRole)
    .split(',')
    .flatMap((one) => projects.map((place) => ({ role: one, project: place })));
}

const shown = (made: NewKey, json: boolean, outcome: string): string =>
  json
    ? JSON.stringify(made)
    : `API key '${made.name}' is ${outcome}. It may be ${inWords(made.grants)}${made.expiresAt === null ? '' : ` until ${made.expiresAt}`}. Note it: it is shown this once.\n\n${made.key}`;

const inWords = (grants: readonly Grant[]): string =>
  grants
    .map(({ role, project }) => `${role} ${project === null ? 'everywhere' : `in ${project}`}`)
    .join(', ');

function table(keys: KeyDescription[]): string {
  if (keys.length === 0) return 'There are no API keys.';
  const heading = ['NAME', 'ID', 'ROLES', 'EXPIRES', 'LAST USED'];
  return inColumns([
    heading,
    ...keys.map(({ name, id, grants, expiresAt, lastUsedAt }) => [
      ...[name, id, inWords(grants), expiresAt ?? 'never', lastUsedAt ?? ''],
    ]),
  ]);
}
