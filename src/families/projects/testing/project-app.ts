import { mkdtempSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../../config.ts';
import type { Documents } from '../../../providers/documents/documents.ts';
import type { ModelProvider } from '../../../providers/models/model.ts';
import { openSearchIndex } from '../../../providers/search/open-search-index.ts';
import { packTexts } from '../../../providers/texts/packed-texts.ts';
import { finish, says, type Turn } from '../../testing/scripted-model.ts';
import { type TestReply, testKey } from '../../testing/test-app.ts';
import { type WholeApp, type WholeAppOptions, wholeApp } from '../../testing/whole-app.ts';

type Method = Parameters<WholeApp['call']>[0];

export interface ProjectApp extends WholeApp {
  directory: string;
  /** Calls in a project; `/v1` stands for `/openai/v1`. */
  in(
    project: string,
  ): (method: Method, path: string, body?: unknown, headers?: Record<string, string>) => Promise<TestReply>;
  admin(method: Method, path: string, body?: unknown): Promise<TestReply>;
  upload(project: string, name: string, text: string): Promise<string>;
  /** Waits until nothing in a store is in progress; answers it. */
  filled(project: string, store: string): Promise<TestReply['json']>;
}

/** Every line of a file is a chunk. */
const lines: Documents = {
  text: ({ path }) => readFile(path, 'utf8'),
  chunks: async ({ path }) => packTexts((await readFile(path, 'utf8')).split('\n')),
  async close() {},
};

/** A model that always says the same, or what is given. */
export const steadyModel = (turn: Turn = [...says('Hello.'), finish()]): ModelProvider => ({
  async *generate(_request, signal) {
    for (const step of turn) {
      if (step instanceof Error) throw step;
      if (typeof step === 'function') await step(signal);
      else yield step;
    }
  },
  countTokens: ({ messages }) => messages.length,
});

/** All families on files of their own, with the real search index. */
export async function projectApp(
  models: Record<string, ModelProvider> = { 'my-model': steadyModel() },
  options: WholeAppOptions = {},
): Promise<ProjectApp> {
  const { vectorStores } = loadConfig({ file: null, environment: {} });
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const index = openSearchIndex({ directory });
  const app = await wholeApp(models, {
    ...options,
    directory,
    vectorStores: { ...vectorStores, embeddings: null, documents: lines, index },
  });
  let address: Promise<string> | undefined;
  const listen = (): Promise<string> => {
    address ??= app.listen();
    return address;
  };
  const call: ProjectApp['in'] = (project) => (method, path, body, headers) =>
    app.call(method, `/api/projects/${project}${path.replace(/^\/v1\//, '/openai/v1/')}`, body, headers);
  return {
    ...app,
    directory,
    listen,
    in: call,
    admin: (method, path, body) => app.call(method, `/admin${path}`, body),
    async upload(project, name, text) {
      const form = new FormData();
      form.set('purpose', 'assistants');
      form.set('file', new File([text], name));
      const url = new URL(`/api/projects/${project}/openai/v1/files`, await listen());
      const reply = await fetch(url, { method: 'POST', headers: { 'api-key': testKey }, body: form });
      return ((await reply.json()) as { id: string }).id;
    },
    async filled(project, store) {
      for (;;) {
        const { json } = await call(project)('GET', `/v1/vector_stores/${store}`);
        if (json.status !== 'in_progress') return json;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    },
    async close() {
      await app.drain(0);
      await index.close();
      await app.close();
    },
  };
}
