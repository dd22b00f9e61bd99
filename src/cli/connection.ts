import { readFileSync } from 'node:fs';
import { type ApiCall, openApi } from './api-call.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';
import { inColumns } from './in-columns.ts';
import { runningServer } from './running-server.ts';

type Given = Arguments<'connection'>;

interface Shown {
  name: string;
  type: string;
  target: string;
  isDefault: boolean;
}

export async function connection({ values, words }: Given): Promise<number> {
  const [action, name] = words;
  if (action !== 'list' && action !== 'set' && action !== 'delete') {
    throw wrong(`Say what to do: list, set or delete${action === undefined ? '' : `, not '${action}'`}.`);
  }
  if (action === 'list' && name !== undefined) throw wrong(`\`list\` takes no name '${name}'.`);
  if (action !== 'list' && name === undefined) throw wrong(`Which connection? ${action} NAME`);
  refuseIdleOptions(action, values);
  const body = action === 'set' ? newConnection(values) : null;
  const call = await openApi(runningServer(values.data), values.project);
  const path = `/connections/${encodeURIComponent(name ?? '')}`;
  if (action === 'list') {
    const found = await listAll(call);
    print(values.json ? JSON.stringify(found) : table(found));
  } else if (body === null) {
    await call('DELETE', path);
    print(values.json ? JSON.stringify({ name, deleted: true }) : `Connection '${name}' is deleted.`);
  } else {
    const reply = await call('PUT', path, body);
    const outcome = reply.status === 201 ? 'made' : 'replaced';
    print(values.json ? JSON.stringify(reply.body) : `Connection '${name}' is ${outcome}.`);
  }
  return exitCodes.ok;
}

const wrong = (message: string): UsageError => new UsageError(message, 'connection');
const print = (text: string): boolean => process.stdout.write(`${text}\n`);

const onlyForSet = ['type', 'target', 'default', 'metadata', 'key-env', 'credentials'] as const;

function refuseIdleOptions(action: string, values: Given['values']): void {
  if (action === 'set') return;
  const idle = onlyForSet.find((option) => values[option] !== null && values[option] !== false);
  if (idle !== undefined) throw wrong(`--${idle} is for \`set\`, not for \`${action}\`.`);
}

function newConnection(values: Given['values']): object {
  const { type, target, default: isDefault, metadata, 'key-env': variable, credentials: file } = values;
  if (type === null) throw wrong('set needs --type TYPE');
  if (target === null) throw wrong('set needs --target ADDRESS');
  if (variable !== null && file !== null) throw wrong('Give --key-env or --credentials, not both.');
  const credentials = variable !== null ? keyOf(variable) : file !== null ? readCredentials(file) : null;
  return { type, target, isDefault, metadata: metadata === null ? null : pairs(metadata), credentials };
}

function pairs(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw wrong(`--metadata must be NAME=VALUE, with commas between pairs, not '${pair}'.`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function keyOf(variable: string): object {
  const key = process.env[variable]?.trim();
  if (!key) throw new CommandError(exitCodes.failure, `The environment variable ${variable} holds nothing.`);
  return { type: 'ApiKey', key };
}

function readCredentials(file: string): unknown {
  const place = file === '-' ? 'stdin' : file;
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new CommandError(exitCodes.failure, `${place} cannot be read: ${(error as Error).message}`);
  }
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own words would quote the secret.
    throw new CommandError(exitCodes.failure, `${place} does not hold JSON.`);
  }
}

/** The server keeps a bounded number of them. */
async function listAll(call: ApiCall): Promise<Shown[]> {
  const found: Shown[] = [];
  let next: string | undefined = '/connections';
  while (next !== undefined) {
    const page = (await call('GET', next)).body as { value: Shown[]; nextLink?: string };
    found.push(...page.value);
    next = page.nextLink;
  }
  return found;
}

function table(found: Shown[]): string {
  if (found.length === 0) return 'There are no connections.';
  return inColumns(
    found.map(({ name, type, isDefault, target }) => [name, type, isDefault ? 'default' : '', target]),
  );
}
