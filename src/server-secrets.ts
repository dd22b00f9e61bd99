/** What can be done to the secrets of a data directory on which no server runs. */
import {
  connectionBudget,
  connectionDirectory,
  migrations,
  resealAgents,
  responseStore,
  storedProjectSealer,
} from './families/index.ts';
import { lockDataDirectory } from './storage/data-lock.ts';
import { openDatabase } from './storage/database.ts';
import { keptAnswerStore } from './storage/kept-answers.ts';
import { keepAuditKeys } from './trust/audit-keys.ts';
import { rotateIdentityHeader } from './trust/credentials.ts';
import { auditCommand } from './trust/offline-audit.ts';
import { createSealer } from './trust/sealing.ts';
import {
  addSealingKey,
  forgetOldSealingKeys,
  knownSealingKeys,
  sealingKeys,
  sealingKeyVariable,
} from './trust/sealing-keys.ts';
import { rotateTokenKey } from './trust/token-keys.ts';

export interface Rotation {
  /** How many connections there are. */
  connections: number;
  /** Connections and versions of agents whose secrets can't be read, as `PROJECT/NAME` and `PROJECT/NAME:VERSION`. */
  unreadable: string[];
  /** Whether the older keys are gone. */
  forgotten: boolean;
}

/**
 * Seals all that is stored with a new key. The older ones go on opening what clients hold, unless they are to be
 * forgotten. With a key from the environment the first of it is the new one.
 */
export async function rotateSecrets(directory: string, forget: boolean): Promise<Rotation> {
  const lock = lockDataDirectory(directory);
  try {
    const database = await openDatabase(directory, migrations);
    try {
      const given = process.env[sealingKeyVariable];
      const waiting = forget ? await responseStore(database).countUnfinished() : 0;
      if (waiting > 0) throw new UnfinishedWorkError(waiting);
      // The new key is on disk before anything is sealed with it, and the old one until nothing needs it.
      const before = knownSealingKeys(directory, given) ?? [];
      const keys = given ? sealingKeys(directory, given) : addSealingKey(directory);
      const kept = forget && !given ? keys.slice(0, 1) : keys;
      keepAuditKeys(
        directory,
        before.filter((key) => !kept.some((one) => one.equals(key))),
      );
      const sealer = await storedProjectSealer(database, createSealer(keys));
      const resealed = await connectionDirectory(
        [],
        database,
        sealer,
        connectionBudget({ projectConnections: 1 }),
      ).reseal();
      const agents = await resealAgents(database, sealer);
      await keptAnswerStore(database, { sealer, seconds: 0, most: 1 }).clear();
      if (forget && !given) forgetOldSealingKeys(directory);
      await auditCommand(directory, forget ? 'secrets rotate --forget' : 'secrets rotate');
      const unreadable = [...resealed.unreadable, ...agents];
      return { ...resealed, unreadable, forgotten: forget && !given };
    } finally {
      await database.destroy();
    }
  } finally {
    lock.release();
  }
}

/**
 * Signs tokens with a new key, and gives the identity endpoint another secret. What the older key signed is good until
 * it expires, unless that is to be forgotten.
 */
export async function rotateTokens(directory: string, forget: boolean): Promise<void> {
  const lock = lockDataDirectory(directory);
  try {
    rotateTokenKey(directory, { forget, now: Date.now() });
    rotateIdentityHeader(directory);
    await auditCommand(directory, `secrets rotate --tokens${forget ? ' --forget' : ''}`);
  } finally {
    lock.release();
  }
}

export class UnfinishedWorkError extends Error {
  constructor(waiting: number) {
    super(
      `${waiting} response${waiting === 1 ? '' : 's'} under way may need the older keys. Start the server, let them end or cancel them, and stop it; or rotate without --forget.`,
    );
    this.name = 'UnfinishedWorkError';
  }
}
