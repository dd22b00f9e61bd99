import { type ApiSession, openApiSession } from './api-session.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { inColumns } from './in-columns.ts';
import { passphrase } from './passphrase.ts';
import { megabytes, saveArchive, sendArchive } from './project-archive.ts';
import { runningServer } from './running-server.ts';

type Given = Arguments<'project'>;

interface Shown {
  name: string;
  origin: string;
  fork_of: string | null;
  is_default: boolean;
  created_at: number;
}

type Action = (session: ApiSession, names: readonly string[], values: Given['values']) => Promise<Done>;

interface Done {
  said: string;
  json: unknown;
}

/** How many names each action takes, and what it does. */
const actions: Record<string, { names: readonly string[]; needsYes?: boolean; act: Action }> = {
  list: {
    names: [],
    async act({ call }) {
      const { value } = (await call('GET', '/admin/projects')).body as { value: Shown[] };
      return { said: table(value), json: value };
    },
  },
  create: {
    names: ['NAME'],
    async act({ call }, [name]) {
      const { body } = await call('POST', '/admin/projects', { name });
      return { said: `Project '${name}' is made.`, json: body };
    },
  },
  delete: {
    names: ['NAME'],
    needsYes: true,
    async act({ call }, [name]) {
      await call('DELETE', pathOf(name));
      return { said: `Project '${name}' is deleted.`, json: { name, deleted: true } };
    },
  },
  fork: {
    names: ['ORIGIN', 'NAME'],
    async act({ call }, [origin, name]) {
      const { body } = await call('POST', `${pathOf(origin)}:fork`, { name });
      return { said: `Project '${name}' has all that '${origin}' has.`, json: body };
    },
  },
  reset: {
    names: ['NAME'],
    needsYes: true,
    async act({ call }, [name], { to }) {
      const { body } = await call('POST', `${pathOf(name)}:reset`, to === null ? {} : { to });
      const origin = to === 'empty' ? null : (body as Shown).fork_of;
      const state = origin === null ? 'is empty' : `has what '${origin}' has`;
      return { said: `Project '${name}' ${state}.`, json: body };
    },
  },
  export: {
    names: ['NAME'],
    async act(session, [name], { file, 'with-secrets': withSecrets }) {
      const target = file ?? `${name}.tar`;
      const under = withSecrets ? await passphrase(true) : null;
      const bytes = await saveArchive(session, pathOf(name), target, under);
      const which = withSecrets ? 'with its secrets under the passphrase' : 'without its secrets';
      const said = `Project '${name}' is in ${target} (${megabytes(bytes)}), ${which}.`;
      return { said, json: { name, file: target, bytes, secrets: withSecrets } };
    },
  },
  import: {
    names: ['NAME'],
    async act(session, [name], { file }) {
      const json = await sendArchive(session, `${pathOf(name)}:import`, file ?? '');
      return { said: `Project '${name}' is made of ${file}.`, json };
    },
  },
};

function optionFault(word: string, values: Given['values']): string | null {
  const { to, file } = values;
  if (to !== null && word !== 'reset') return `--to is for \`reset\`, not for \`${word}\`.`;
  if (file !== null && word !== 'export' && word !== 'import') {
    return `--file is for \`export\` and \`import\`, not for \`${word}\`.`;
  }
  if (values['with-secrets'] && word !== 'export') {
    return `--with-secrets is for \`export\`, not for \`${word}\`.`;
  }
  return word === 'import' && file === null ? 'Which archive? --file FILE' : null;
}

export async function project({ values, words }: Given): Promise<number> {
  const [word, ...names] = words;
  const action = word !== undefined && Object.hasOwn(actions, word) ? actions[word] : undefined;
  if (action === undefined) {
    const known = Object.keys(actions).join(', ');
    throw wrong(`Say what to do: ${known}${word === undefined ? '' : `, not '${word}'`}.`);
  }
  if (names.length !== action.names.length) throw wrong(`It is: ${[word, ...action.names].join(' ')}`);
  const fault = optionFault(word ?? '', values);
  if (fault !== null) throw wrong(fault);
  if (action.needsYes && !values.yes) {
    throw wrong(`This removes what is in '${names[0]}'. Say --yes to have it done.`);
  }
  const session = await openApiSession(runningServer(values.data));
  const { said, json } = await action.act(session, names, values);
  process.stdout.write(`${values.json ? JSON.stringify(json) : said}\n`);
  return exitCodes.ok;
}

const wrong = (message: string): UsageError => new UsageError(message, 'project');
const pathOf = (name = ''): string => `/admin/projects/${encodeURIComponent(name)}`;

const table = (found: readonly Shown[]): string =>
  inColumns(
    found.map(({ name, origin, fork_of, is_default, created_at }) => [
      name,
      is_default ? 'default' : '',
      fork_of === null ? origin : `fork of ${fork_of}`,
      new Date(created_at * 1000).toISOString().slice(0, 10),
    ]),
  );
