/** The thread that writes the search index. */
import { workerData } from 'node:worker_threads';
import { giveWay } from '../workers/give-way.ts';
import { answerCalls } from '../workers/worker-calls.ts';
import { createIndexWriter } from './index-writer.ts';
import { openToWrite } from './search-file.ts';

giveWay(false);
const file = openToWrite((workerData as { path: string }).path);
answerCalls(createIndexWriter(file), () => file.close());
