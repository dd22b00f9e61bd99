/**
 * `node scripts/dump-data.ts NAME [MAIN]` writes a small data directory of this version, or of the one whose `src/main.ts`
 * is given, as text to `test/upgrade/NAME`, with what its server answered. Later versions are tested on it.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { callTo, populate } from '../test/upgrade/population.ts';

const [name, main = new URL('../src/main.ts', import.meta.url).pathname] = process.argv.slice(2);
if (name === undefined) throw new Error('Say what the directory is to be called, such as 0012.');

const key = 'upgrade-key';
const counters = 'sqlite_sequence';
const directory = mkdtempSync(join(tmpdir(), 'bloomery-dump-'));
const target = new URL(`../test/upgrade/${name}/`, import.meta.url);
let child: ReturnType<typeof spawn> | undefined;
try {
  const arguments_ = [
    'serve',
    '--data',
    directory,
    '--port',
    '0',
    '--json',
    '--log-level',
    'warn',
    '--api-key',
    key,
  ];
  const server = spawn(process.execPath, [main, ...arguments_], { stdio: ['ignore', 'pipe', 'inherit'] });
  child = server;
  const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
  const call = callTo(Number(new URL(JSON.parse(line).endpoint).port), key);
  const answers = [];
  for (const [method, path] of await populate(call))
    answers.push({ method, path, ...(await call(method, path)) });
  const ended = once(server, 'exit');
  server.kill('SIGTERM');
  await ended;

  mkdirSync(target, { recursive: true });
  writeFileSync(new URL('bloomery.sql', target), sqlOf(join(directory, 'bloomery.db')));
  writeFileSync(new URL('answers.json', target), `${JSON.stringify(answers, null, 1)}\n`);
  writeFileSync(new URL('files.json', target), `${JSON.stringify(filesOf(directory), null, 1)}\n`);
} finally {
  child?.kill();
  rmSync(directory, { recursive: true, force: true });
}

/** The statements that make the database again. */
function sqlOf(file: string): string {
  const database = new DatabaseSync(file, { readOnly: true });
  const made = database
    .prepare("select name, type, sql from sqlite_master where sql is not null order by type = 'index', rowid")
    .all() as { name: string; type: string; sql: string }[];
  const rows = made
    .filter(({ type }) => type === 'table')
    .flatMap(({ name: table }) =>
      database
        .prepare(`select * from "${table}"`)
        .all()
        .map((row) => `insert into "${table}" values (${Object.values(row).map(literal).join(', ')})`),
    );
  database.close();
  const created = made.filter(({ name: table }) => table !== counters).map(({ sql }) => sql);
  // SQLite has made the table of counters by then, and counted.
  const counts = rows.filter((row) => row.startsWith(`insert into "${counters}"`));
  const others = rows.filter((row) => !counts.includes(row));
  const inOrder = [...others, ...(counts.length === 0 ? [] : [`delete from "${counters}"`]), ...counts];
  return [...created, ...inOrder].map((statement) => `${statement};\n`).join('');
}

function literal(value: unknown): string {
  if (value === null) return 'null';
  if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
  return typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
}

/** What stands beside the database and can't be made again, in base64 by path. */
function filesOf(root: string): Record<string, string> {
  const kept = ['trust/sealing.key', 'files'].filter((path) => existsSync(join(root, path)));
  const files = kept.flatMap((path) =>
    path === 'files'
      ? readdirSync(join(root, path), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => relative(root, join(entry.parentPath, entry.name)))
      : [path],
  );
  return Object.fromEntries(files.map((path) => [path, readFileSync(join(root, path)).toString('base64')]));
}
