import { sql } from 'kysely';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { Contents } from '../../storage/contents.ts';
import { type Database, prepared } from '../../storage/database.ts';

/**
 * Contents of files that were answered before the disk had them, as commits are: both outlive the process, and a power
 * cut can cost the last of them. Which ones is noted, so that the next start tells what is whole from what is not.
 */
export interface LateSync {
  /** Takes room for a content; waits while too much has not reached the disk. */
  room(bytes: number): Promise<void>;
  /** Gives back the room for a content that is none after all. */
  giveBack(bytes: number): void;
  /** To be called in the transaction that writes the row of a content. */
  note(content: string, on: Database): Promise<void>;
  /** Has a content synced that has room and was noted, in the background. */
  begin(content: string, bytes: number): void;
  /** What was noted and never synced, for when a server starts. */
  left(): Promise<string[]>;
  /** Syncs contents, and forgets that they had to be. */
  sync(contents: readonly string[]): Promise<void>;
  /** Waits for what was begun, but not for long: the next start looks at the rest. */
  close(): Promise<void>;
}

type Tables = { contents_to_sync: { content: string } };

/** Contents, and bytes of them, with which there is no room for another. */
const mostHeld = 1000;
const mostHeldBytes = 1_073_741_824;
const closeMilliseconds = 5000;

export function createLateSync(
  database: Database,
  contents: Pick<Contents, 'sync'>,
  log: Pick<ModelLog, 'warn'>,
): LateSync {
  const db = database.withTables<Tables>();
  const noteOne = prepared(database, (parameter) =>
    db.insertInto('contents_to_sync').values({ content: parameter('content') }),
  );
  const waiting = new Map<string, number>();
  let syncing: Promise<void> | null = null;
  let isClosed = false;
  let held = 0;
  let heldBytes = 0;
  let freed = Promise.withResolvers<void>();

  const giveBack = (bytes: number): void => {
    held--;
    heldBytes -= bytes;
    freed.resolve();
    freed = Promise.withResolvers();
  };

  const sync = async (ids: readonly string[]): Promise<void> => {
    await contents.sync(ids);
    await db
      .deleteFrom('contents_to_sync')
      .where('content', 'in', sql<string>`(select value from json_each(${JSON.stringify(ids)}))`)
      .execute();
  };

  /** One that can't be synced stays noted: the next start looks at it. */
  const syncOne = async (id: string): Promise<void> => {
    await sync([id]).catch((error) => log.warn({ err: error, content: id }, 'a file could not be synced'));
  };

  const syncWaiting = async (): Promise<void> => {
    const some = new Map(waiting);
    try {
      await sync([...some.keys()]);
    } catch {
      for (const id of some.keys()) await syncOne(id);
    }
    for (const [id, bytes] of some) {
      waiting.delete(id);
      giveBack(bytes);
    }
    // What came meanwhile is synced together.
    syncing = waiting.size > 0 && !isClosed ? syncWaiting() : null;
  };

  return {
    async room(bytes) {
      while (held >= mostHeld || heldBytes >= mostHeldBytes) await freed.promise;
      held++;
      heldBytes += bytes;
    },
    giveBack,
    async note(content, on) {
      await noteOne({ content }, on);
    },
    begin(content, bytes) {
      if (isClosed) return giveBack(bytes);
      waiting.set(content, bytes);
      syncing ??= syncWaiting();
    },
    async left() {
      const rows = await db.selectFrom('contents_to_sync').selectAll().execute();
      return rows.map(({ content }) => content);
    },
    sync,
    async close() {
      const late = Promise.withResolvers<void>();
      const timer = setTimeout(() => {
        isClosed = true;
        late.resolve();
      }, closeMilliseconds);
      while (syncing !== null && !isClosed) await Promise.race([syncing, late.promise]);
      clearTimeout(timer);
      isClosed = true;
    },
  };
}
