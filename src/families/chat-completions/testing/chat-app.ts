import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ModelGateway } from '../../../providers/models/gateway.ts';
import { openDatabase } from '../../../storage/database.ts';
import { type TestApp, testApp } from '../../testing/test-app.ts';
import { chatCompletionStore, chatCompletionsFamily, migrations } from '../index.ts';

/** The chat completions alone, on a database of their own. */
export async function chatApp(models: ModelGateway): Promise<TestApp> {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const database = await openDatabase(directory, migrations);
  const app = await testApp(chatCompletionsFamily(models, chatCompletionStore(database)));
  return {
    ...app,
    async close() {
      await app.close();
      await database.destroy();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
