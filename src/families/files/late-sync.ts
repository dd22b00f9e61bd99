import { sql } from 'kysely';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { Contents } from '../../storage/contents.ts';
import type { Database } from '../../storage/database.ts';

/**
 * Contents of files that were answered before the disk had them, as commits are: both outlive the process, and a power
 * cut can cost the last of them. Which ones is noted, so that the next start tells what is whole from what is not.
 */
export interface LateSync {
  /** Waits while too much has not reached the disk. */
  room(): Promise<void>;
  /** To be called in the transaction that writes the row of a content. */
  note(content: string, on: Database): Promise<void>;
  /** Has a content synced that was noted, in the background. */
  begin(content: string, bytes: number): void;
  /** What was noted and never synced, for when a server starts. */
  left(): Promise<string[]>;
  /** Syncs contents, and forgets that they had to be. */
  sync(contents: readonly string[]): Promise<void>;
  /** Waits for what was begun. */
  close(): Promise<void>;
}

type Tables = { contents_to_sync: { content: string } };

const mostWaiting = 1000;
const mostWaitingBytes = 1_073_741_824;

export function createLateSync(
  database: Database,
  contents: Pick<Contents, 'sync'>,
  log: Pick<ModelLog, 'warn'>,
): LateSync {
  const waiting = new Map<string, number>();
  let waitingBytes = 0;
  let syncing: Promise<void> | null = null;

  const isFull = (): boolean => waiting.size >= mostWaiting || waitingBytes >= mostWaitingBytes;

  const sync = async (ids: readonly string[]): Promise<void> => {
    await contents.sync(ids);
    await database
      .withTables<Tables>()
      .deleteFrom('contents_to_sync')
      .where('content', 'in', sql<string>`(select value from json_each(${JSON.stringify(ids)}))`)
      .execute();
  };

  const syncWaiting = async (): Promise<void> => {
    const ids = [...waiting.keys()];
    try {
      await sync(ids);
    } catch (error) {
      // They stay noted: the next start looks at them.
      log.warn({ err: error }, 'contents of files could not be synced');
    }
    for (const id of ids) {
      waitingBytes -= waiting.get(id) ?? 0;
      waiting.delete(id);
    }
    // What came meanwhile is synced together.
    syncing = waiting.size > 0 ? syncWaiting() : null;
  };

  return {
    async room() {
      while (isFull()) await syncing;
    },
    async note(content, on) {
      await on.withTables<Tables>().insertInto('contents_to_sync').values({ content }).execute();
    },
    begin(content, bytes) {
      waiting.set(content, bytes);
      waitingBytes += bytes;
      syncing ??= syncWaiting();
    },
    async left() {
      const rows = await database.withTables<Tables>().selectFrom('contents_to_sync').selectAll().execute();
      return rows.map(({ content }) => content);
    },
    sync,
    async close() {
      while (syncing !== null) await syncing;
    },
  };
}
