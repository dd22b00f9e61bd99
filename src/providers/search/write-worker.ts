/** The thread that writes the search index. */
import { workerData } from 'node:worker_threads';
import { createIndexWriter } from './index-writer.ts';
import { openToWrite } from './search-file.ts';
import { answerCalls } from './worker-calls.ts';

const file = openToWrite((workerData as { path: string }).path);
answerCalls(createIndexWriter(file), () => file.close());
