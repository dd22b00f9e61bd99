import { ownTurn } from '../../kit/in-turns.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import { waitOf } from './embed.ts';
import { type FileKey, type FileRow, fileName, type StoreKey } from './file-rows.ts';
import { storeTurn } from './store-rows.ts';
import { EmbeddingFault, type Fault, FileGone, faultOf, type TakeInParts, takeIn } from './take-in.ts';

export interface IngestionOptions {
  /** Files that are read and embedded at once. */
  concurrency: number;
  /** How long one attempt may take. */
  attemptSeconds: number;
  log: Pick<ModelLog, 'warn'>;
  /** Called when the index may hold what it must not. */
  onLeftOver(): void;
  /** How long a store rests after so many failed attempts. */
  restMilliseconds?(attempts: number): number;
}

/**
 * Takes in what is `in_progress`, of each store in turn. The rows are the queue, so nothing is lost by a restart; an
 * attempt is counted before it begins, so that a file that ends the process is given up in the end. One that meets a
 * limit of the deployment, the project or whoever asked waits for it, and no attempt is counted.
 */
export interface Ingestion {
  /** Takes up what an earlier process has left. */
  start(): Promise<void>;
  /** There may be work in a store. */
  notify(store: StoreKey): void;
  /** Ends work that is not wanted any more. */
  recheck(): Promise<void>;
  close(): Promise<void>;
}

/** Files that have been read and wait for the index, and what they hold. */
const mostHeld = 32;
const mostHeldBytes = 33_554_432;
const mostAttempts = 4;
const mostLimited = 8;
/** Where not even the failure could be noted. */
const faultRest = 5000;
const usualRest = (attempts: number): number => 500 * 4 ** (attempts - 1);

export function createIngestion(
  parts: TakeInParts,
  { concurrency, attemptSeconds, log, onLeftOver, restMilliseconds = usualRest }: IngestionOptions,
): Ingestion {
  const { files } = parts;
  /** Stores that may have work, longest waiting first. */
  const waiting = new Map<string, StoreKey>();
  const resting = new Map<string, NodeJS.Timeout>();
  const running = new Map<string, { row: FileKey; controller: AbortController; ended: Promise<void> }>();
  let reading = 0;
  let heldBytes = 0;
  /** Vectors of files that met a limit half-way: a limit smaller than a file must let it through in the end. */
  const limited = new Map<string, Float32Array[]>();
  const closing = new AbortController();
  let filling: Promise<void> = Promise.resolve();
  let isToFill = false;

  const fill = (): void => {
    if (isToFill) return;
    isToFill = true;
    filling = filling.then(begin).catch((error) => {
      log.warn({ err: error }, 'files of vector stores could not be taken up');
    });
  };

  const hasRoom = (): boolean =>
    reading < concurrency && running.size < concurrency + mostHeld && heldBytes < mostHeldBytes;

  /** In small steps, as an attempt is: the database does not wait, so requests would have no turn until all is done. */
  const begin = async (): Promise<void> => {
    await ownTurn();
    isToFill = false;
    while (!closing.signal.aborted && hasRoom()) {
      const row = await next();
      if (row === undefined) return;
      const controller = new AbortController();
      const progress = attemptProgress();
      const ended = attempt(row, controller.signal, progress.onRead)
        .catch((error) => {
          log.warn({ err: error, file: row.file_id }, 'a file could not be taken in');
          rest(storeOf(row), faultRest);
        })
        .finally(() => {
          progress.end();
          running.delete(fileName(row));
          notify(storeOf(row));
        });
      running.set(fileName(row), { row, controller, ended });
      await ownTurn();
    }
  };

  const next = async (): Promise<FileRow | undefined> => {
    for (const [name, store] of waiting) {
      waiting.delete(name);
      if (resting.has(name)) continue;
      const begun = [...running.values()].filter(({ row }) => row.project === store.project);
      const keys = begun.map(({ row }) => row.key);
      const row = await files.beginNext(store, keys).catch((error) => {
        log.warn({ err: error, store: store.id }, 'files of a vector store could not be taken up');
        rest(store, faultRest);
      });
      if (!row) continue;
      waiting.set(name, store);
      return row;
    }
    return undefined;
  };

  const attemptProgress = () => {
    let isReading = true;
    let held = 0;
    reading++;
    const read = (bytes: number): void => {
      if (isReading) reading--;
      isReading = false;
      heldBytes += bytes - held;
      held = bytes;
    };
    return {
      onRead(bytes: number) {
        read(bytes);
        fill();
      },
      end: () => read(0),
    };
  };

  const attempt = async (
    row: FileRow,
    unwanted: AbortSignal,
    onceRead: (bytes: number) => void,
  ): Promise<void> => {
    const { attempts } = row;
    if (attempts > mostAttempts) {
      return settle(
        row,
        fault('Taking the file in was begun several times and never ended.', false),
        attempts,
      );
    }
    const limit = AbortSignal.timeout(attemptSeconds * 1000);
    let isReading = true;
    const onRead = async (bytes: number): Promise<void> => {
      isReading = false;
      // Whatever ends the process from now on is no fault of a file that only waits for the index.
      await files.countAttempt(row, -1);
      onceRead(bytes);
    };
    const vectors = limited.get(fileName(row)) ?? [];
    limited.delete(fileName(row));
    try {
      await ownTurn();
      const signal = AbortSignal.any([unwanted, closing.signal, limit]);
      await takeIn(parts, row, signal, { vectors, onRead });
    } catch (error) {
      if (unwanted.aborted) return;
      if (closing.signal.aborted) return isReading ? files.countAttempt(row, -1) : undefined;
      const wait = error instanceof EmbeddingFault ? waitOf(error.cause) : null;
      if (wait !== null) {
        keep(row, vectors);
        await files.countAttempt(row, -1);
        return rest(storeOf(row), wait);
      }
      if (!isReading) await files.countAttempt(row, 1);
      await settle(row, explain(row, error, isReading && limit.aborted), attempts);
    }
  };

  const keep = (row: FileRow, vectors: Float32Array[]): void => {
    limited.set(fileName(row), vectors);
    for (const [name] of limited) if (limited.size > mostLimited) limited.delete(name);
  };

  const explain = (row: FileRow, error: unknown, tookTooLong: boolean): Fault | FileGone => {
    if (error instanceof FileGone) return error;
    if (tookTooLong) return fault(`Taking the file in took longer than ${attemptSeconds} s.`, true);
    const known = faultOf(error);
    if (known !== null) return known;
    log.warn({ err: error, file: row.file_id, store: row.store_id }, 'a file could not be taken in');
    return fault('The file could not be taken in; the log of the server tells why.', true);
  };

  const settle = async (row: FileRow, why: Fault | FileGone, attempts: number): Promise<void> => {
    if (why instanceof FileGone || (await parts.directory.find(row.project, row.file_id)) === undefined) {
      await files.detach(row, unixSeconds());
    } else if (why.passes && attempts < mostAttempts) {
      return rest(storeOf(row), restMilliseconds(attempts));
    } else {
      await files.fail(row, why.code, why.message);
    }
    onLeftOver();
  };

  const rest = (store: StoreKey, milliseconds: number): void => {
    if (closing.signal.aborted) return;
    const name = storeTurn(store);
    clearTimeout(resting.get(name));
    const wake = (): void => {
      resting.delete(name);
      notify(store);
    };
    resting.set(name, setTimeout(wake, milliseconds).unref());
  };

  const notify = ({ project, id }: StoreKey): void => {
    waiting.set(storeTurn({ project, id }), { project, id });
    fill();
  };

  return {
    notify,
    async start() {
      for (const store of await files.storesWithWork()) waiting.set(storeTurn(store), store);
      fill();
    },
    async recheck() {
      // Those that begin while the rows are read were wanted a moment ago.
      for (const { row, controller } of [...running.values()]) {
        if (!(await files.isWanted(row))) controller.abort();
      }
    },
    async close() {
      closing.abort();
      for (const timer of resting.values()) clearTimeout(timer);
      await filling;
      await Promise.all([...running.values()].map(({ ended }) => ended));
    },
  };
}

const storeOf = ({ project, store_id }: FileRow): StoreKey => ({ project, id: store_id });

const fault = (message: string, passes: boolean): Fault => ({ code: 'server_error', message, passes });
