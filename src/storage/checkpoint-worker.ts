import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** Merges the log of a database into its file. Opened for each time: a connection that stays would keep the log. */
parentPort?.on('message', () => {
  const database = new DatabaseSync(workerData as string, { timeout: 0 });
  try {
    database.exec('pragma synchronous = normal; pragma secure_delete = on; pragma wal_checkpoint(passive)');
  } finally {
    database.close();
    parentPort?.postMessage('done');
  }
});
