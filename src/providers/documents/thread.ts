/** The thread that sends documents to the processes that read them, and takes in what these answer. */
import { parentPort, workerData } from 'node:worker_threads';
import type { PackedTexts } from '../texts/packed-texts.ts';
import { createCoreLeaving } from '../workers/core-leaving.ts';
import { giveWay } from '../workers/give-way.ts';
import { createDocuments, type DocumentsOptions } from './create-documents.ts';
import { type Chunking, DocumentError, type DocumentSource } from './documents.ts';

export type Message =
  | { id: number; source: DocumentSource; chunking: Chunking | null }
  | { unwanted: number }
  | 'end';

export type Answer =
  | { id: number; texts: PackedTexts }
  | { id: number; fault: Fault }
  | { pid: number; isRunning: boolean };

export interface Fault {
  /** Null for what is not the document's fault. */
  code: DocumentError['code'] | null;
  message: string;
}

const port = parentPort;
if (port === null) throw new Error('Documents are sent from a worker thread only.');
// So do the processes that are started from here, with all their threads.
giveWay(false);
const documents = createDocuments({
  ...(workerData as DocumentsOptions),
  onProcess: (pid, isRunning) => port.postMessage({ pid, isRunning } satisfies Answer),
});
const cores = createCoreLeaving(() => documents.processes());
const running = new Map<number, AbortController>();

const faultOf = (error: unknown): Fault => ({
  code: error instanceof DocumentError ? error.code : null,
  message: error instanceof Error ? error.message : String(error),
});

port.on('message', async (message: Message) => {
  if (message === 'end') {
    await documents.close();
    cores.close();
    port.close();
    return;
  }
  if ('unwanted' in message) {
    running.get(message.unwanted)?.abort();
    return;
  }
  const { id, source, chunking } = message;
  cores.watch();
  const controller = new AbortController();
  running.set(id, controller);
  try {
    const texts = await documents.read(source, chunking, controller.signal);
    port.postMessage({ id, texts } satisfies Answer, [texts.bytes.buffer as ArrayBuffer]);
  } catch (error) {
    port.postMessage({ id, fault: faultOf(error) } satisfies Answer);
  } finally {
    running.delete(id);
  }
});
