import { loadConfig } from '../../config.ts';
import type { ModelProvider } from '../../providers/models/model.ts';
import type { VectorStoreParts } from '../vector-stores/index.ts';
import { type MemoryFiles, memoryFiles } from './memory-files.ts';
import { type MemoryIndex, memoryIndex } from './memory-index.ts';
import { type PlainDocumentsOptions, plainDocuments } from './plain-documents.ts';
import type { TestReply } from './test-app.ts';
import { type WholeApp, type WholeAppOptions, wholeApp } from './whole-app.ts';

export interface StoreApp extends WholeApp {
  files: MemoryFiles;
  index: MemoryIndex;
  /** Creates a vector store; answers its id. */
  store(body?: object): Promise<string>;
  /** Attaches files and waits until they have ended; answers the store as it is then. */
  fill(storeId: string, ...fileIds: string[]): Promise<TestReply['json']>;
  /** Asks until the answer is as wanted. */
  until(path: string, isSo: (json: TestReply['json']) => boolean): Promise<TestReply['json']>;
}

export interface StoreAppOptions extends PlainDocumentsOptions {
  models?: Record<string, ModelProvider>;
  parts?: Partial<Omit<VectorStoreParts, 'budget'>>;
  files?: MemoryFiles;
  index?: MemoryIndex;
  directory?: string;
  limits?: WholeAppOptions['limits'];
}

const asks = 1000;

/** All families, with vector stores over files and an index in memory. */
export async function storeApp({
  models = {},
  parts = {},
  before,
  files = memoryFiles(),
  index = memoryIndex(),
  directory,
  limits,
}: StoreAppOptions = {}): Promise<StoreApp> {
  const { vectorStores } = loadConfig({ file: null, environment: {} });
  const documents = plainDocuments(files, before === undefined ? {} : { before });
  const app = await wholeApp(models, {
    ...(directory === undefined ? {} : { directory }),
    ...(limits === undefined ? {} : { limits }),
    vectorStores: {
      ...vectorStores,
      embeddings: null,
      directory: files.directory,
      documents,
      index,
      spareCores: 8,
      ...parts,
    },
  });
  return { ...app, ...askingOf(app), files, index };
}

/** The same of another app. */
export function askingOf(app: WholeApp): Pick<StoreApp, 'store' | 'fill' | 'until'> {
  const until: StoreApp['until'] = async (path, isSo) => {
    for (let ask = 0; ask < asks; ask++) {
      const { json } = await app.call('GET', path);
      if (isSo(json)) return json;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    throw new Error(`${path} has not become what it was to be.`);
  };
  return {
    until,
    async store(body = {}) {
      const { status, json, text } = await app.call('POST', '/openai/v1/vector_stores', body);
      if (status !== 200) throw new Error(text);
      return String(json.id);
    },
    async fill(storeId, ...fileIds) {
      const path = `/openai/v1/vector_stores/${storeId}`;
      for (const file_id of fileIds) await app.call('POST', `${path}/files`, { file_id });
      return until(path, ({ status }) => status !== 'in_progress');
    },
  };
}
