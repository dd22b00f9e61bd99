import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelGateway } from '../../../providers/models/gateway.ts';
import { openDatabase } from '../../../storage/database.ts';
import type { ModelFiles } from '../../files/model-files.ts';
import { type TestApp, testApp } from '../../testing/test-app.ts';
import { chatCompletionStore, chatCompletionsFamily, migrations } from '../index.ts';

const noFiles: ModelFiles = { read: async () => () => undefined };

/** The chat completions alone, on a database of their own. */
export async function chatApp(models: ModelGateway): Promise<TestApp> {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const database = await openDatabase(directory, migrations);
  const app = await testApp(chatCompletionsFamily(models, chatCompletionStore(database), noFiles));
  return {
    ...app,
    async close() {
      await app.close();
      await database.destroy();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
