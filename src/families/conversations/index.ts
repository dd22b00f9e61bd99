import { family } from '../../kit/operation.ts';
import type { AgentDirectory } from '../agents/directory.ts';
import { operations } from './contract.ts';
import { conversationsService } from './service.ts';
import type { ConversationStore } from './store.ts';

export { conversationLedger } from './ledger.ts';
export { migrations } from './migrations.ts';
export { projectTables } from './project-tables.ts';
export { conversationItemBudget, conversationStore } from './store.ts';

export const conversationsFamily = (store: ConversationStore, agents: AgentDirectory) =>
  family('conversations', operations, conversationsService(store, agents));
