import { type Family, family } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import type { ModelFiles } from '../files/model-files.ts';
import { padded } from './chunks.ts';
import { unfinished } from './completion.ts';
import { operations } from './contract.ts';
import { dataFrame, doneFrame, errorFrame } from './frames.ts';
import { startModelCall } from './model-call.ts';
import { chatCompletionsService } from './service.ts';
import type { ChatCompletionStore } from './store.ts';

export { migrations } from './migrations.ts';
export { projectTables } from './project-tables.ts';
export { chatCompletionStore, completionBudget } from './store.ts';

export const chatCompletionsFamily = (
  models: ModelGateway,
  store: ChatCompletionStore,
  modelFiles: ModelFiles,
): Family => family('chat-completions', operations, chatCompletionsService(models, store, modelFiles));

/** What the older completions do the same way: call the model, and stream in unnamed events. */
export const chatParts = { startModelCall, unfinished, padded, dataFrame, doneFrame, errorFrame };
export type ChatParts = typeof chatParts;
