/** Looks for what deletions have left in a data directory that no server uses, and removes it. */
import { existsSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { Config } from './config.ts';
import { connectionBudget, connectionDirectory, migrations, storedProjectSealer } from './families/index.ts';
import { createLeftovers } from './families/leftovers.ts';
import type { Leftovers } from './kit/leftovers.ts';
import { openBlobs } from './providers/blobs/open-blobs.ts';
import { storageAccounts } from './providers/blobs/storage-accounts.ts';
import { createOutbound } from './providers/outbound/create-outbound.ts';
import { type IndexContents, openIndexContents } from './providers/search/index-contents.ts';
import { indexFile } from './providers/search/search-file.ts';
import { lockDataDirectory, lockFile } from './storage/data-lock.ts';
import {
  compactDatabase,
  type Database,
  databaseFile,
  openDatabase,
  openDatabaseToLook,
} from './storage/database.ts';
import { filledFreePages, leavingNothing, logBytes } from './storage/database-remains.ts';
import { filesHolding } from './storage/holding-files.ts';
import { derivedKey } from './trust/derived-key.ts';
import { auditCommand } from './trust/offline-audit.ts';
import { createSealer } from './trust/sealing.ts';
import { sealingKeys, sealingKeyVariable } from './trust/sealing-keys.ts';

export interface PurgeOptions {
  directory: string;
  config: Config;
  /** Only to look, and to change nothing. */
  verify: boolean;
  /** A text to be looked for in all files; null for none. */
  contains: string | null;
  /** Is told what could not be removed. */
  warn(message: string): void;
}

export interface PurgeReport {
  /** Whether nothing is left, and the text nowhere. */
  ok: boolean;
  checks: Check[];
  /** Where the text is, and in how many files there. */
  found: { in: string; files: number }[];
}

export interface Check {
  what: string;
  left: number;
  removed: number;
}

type Counts = Map<string, number>;

const busy =
  'What it is about to write cannot be told from what is left over. Stop it, and repeat the command.';

export async function purgeDirectory(options: PurgeOptions): Promise<PurgeReport> {
  const { directory, verify, contains } = options;
  if (!existsSync(databaseFile(directory))) {
    throw new Error(`There is no data of a server in ${directory}. Name its directory with --data.`);
  }
  const lock = lockDataDirectory(directory, busy);
  try {
    const before = fileRemains(directory);
    const { first, last } = verify ? await look(options) : await remove(options);
    if (!verify) await auditCommand(directory, 'purge', options.warn);
    const after = verify ? before : fileRemains(directory);
    const checks = [...checksOf(first, last), ...checksOf(before, after)];
    const found = contains === null ? [] : await placesOf(directory, contains);
    return { ok: found.length === 0 && checks.every(({ left }) => left === 0), checks, found };
  } finally {
    lock.release();
  }
}

const checksOf = (first: Counts, last: Counts): Check[] =>
  [...last].map(([what, left]) => ({ what, left, removed: Math.max((first.get(what) ?? 0) - left, 0) }));

const databases = (directory: string): string[] =>
  [databaseFile(directory), indexFile(directory)].filter((file) => existsSync(file));

function fileRemains(directory: string): Counts {
  const sum = (count: (file: string) => number): number =>
    databases(directory).reduce((total, file) => total + count(file), 0);
  return new Map([
    ['bytes in the logs of databases', sum(logBytes)],
    ['free pages of databases with something in them', sum(filledFreePages)],
  ]);
}

const look = (options: PurgeOptions): Promise<{ first: Counts; last: Counts }> =>
  leavingNothing(databases(options.directory), async () => {
    const { directory } = options;
    const database = await openDatabaseToLook(directory, migrations);
    let index: IndexContents | null = null;
    try {
      index = openIndexContents(directory, 'look');
      const counts = await countAll((await leftoversOf(options, database, index)).leftovers);
      return { first: counts, last: counts };
    } finally {
      index?.close();
      await database.destroy();
    }
  });

async function remove(options: PurgeOptions): Promise<{ first: Counts; last: Counts }> {
  const { directory, warn } = options;
  const database = await openDatabase(directory, migrations);
  let index: IndexContents | null = null;
  try {
    index = openIndexContents(directory, 'change');
    const { leftovers, close } = await leftoversOf(options, database, index);
    const first = await countAll(leftovers);
    for (const one of leftovers) {
      await one.remove().catch((error: Error) => warn(`${one.what}: ${error.message}`));
    }
    await close();
    const last = await countAll(leftovers);
    index?.compact();
    await compactDatabase(database);
    return { first, last };
  } finally {
    index?.close();
    await database.destroy();
  }
}

async function countAll(leftovers: readonly Leftovers[]): Promise<Counts> {
  const counts: Counts = new Map();
  for (const { what, count } of leftovers) counts.set(what, await count());
  return counts;
}

/** What is told of storage elsewhere needs its connections; nothing is asked of it before something is removed. */
async function leftoversOf(
  { directory, config, warn }: PurgeOptions,
  database: Database,
  index: IndexContents | null,
) {
  const keys = sealingKeys(directory, process.env[sealingKeyVariable]);
  const sealer = await storedProjectSealer(database, createSealer(keys));
  const budget = connectionBudget(config.limits);
  const connections = connectionDirectory(config.connections, database, sealer, budget);
  const blobs = openBlobs(config.blobs, {
    directory: join(directory, 'blobs'),
    key: derivedKey(keys[0], 'blob account', 64),
  });
  const accounts = storageAccounts({
    own: blobs.own,
    connections: connections.tools,
    outbound: createOutbound({ allowLoopback: true, ...config.outbound }),
    sasMinutes: config.blobs.sasMinutes,
  });
  const log = {
    warn: (about: { err?: Error }, message: string) =>
      warn(about.err === undefined ? message : `${message}: ${about.err.message}`),
  };
  const { abandonedHours } = config.blobs;
  const parts = { database, directory, index, log, configured: config.projects };
  return {
    leftovers: createLeftovers({ ...parts, blobs: { accounts, directory: blobs.directory, abandonedHours } }),
    close: () => blobs.own.close(),
  };
}

const places: Record<string, string> = {
  'bloomery.db': 'the database',
  'bloomery.db-wal': 'the log of the database',
  'search.db': 'the search index',
  'search.db-wal': 'the log of the search index',
  files: 'contents of files',
  uploads: 'parts of uploads',
  containers: 'files of containers',
  blobs: 'blobs of datasets and models',
};

async function placesOf(directory: string, text: string): Promise<PurgeReport['found']> {
  const found = new Map<string, number>();
  for await (const file of filesHolding(directory, Buffer.from(text), lockFile(directory))) {
    const place = places[relative(directory, file).split(sep, 1)[0] ?? ''] ?? 'other files';
    found.set(place, (found.get(place) ?? 0) + 1);
  }
  return [...found].map(([place, files]) => ({ in: place, files }));
}
