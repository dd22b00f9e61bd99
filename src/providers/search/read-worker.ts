/** The thread that searches, so that searches do not wait for what is being put in. */
import { workerData } from 'node:worker_threads';
import { answerCalls } from '../workers/worker-calls.ts';
import { createIndexReader } from './index-reader.ts';
import { openToRead } from './search-file.ts';

const { path, memoryBytes } = workerData as { path: string; memoryBytes: number };
const file = openToRead(path);
answerCalls(createIndexReader(file, memoryBytes), () => file.close());
