import type { Context } from '../../kit/context.ts';
import { family } from '../../kit/operation.ts';
import type { AgentDirectory } from '../agents/directory.ts';
import type { Item } from '../responses/items.ts';
import { operations } from './contract.ts';
import { conversationsService } from './service.ts';
import type { ConversationStore } from './store.ts';

export { conversationLedger } from './ledger.ts';
export { migrations } from './migrations.ts';
export { projectTables } from './project-tables.ts';
export { conversationBudget, conversationItemBudget, conversationStore } from './store.ts';

/** `requireFiles` refuses items that name files which the caller may not read. */
export const conversationsFamily = (
  store: ConversationStore,
  agents: AgentDirectory,
  requireFiles: (ctx: Context, items: Item[]) => void,
) => family('conversations', operations, conversationsService(store, agents, requireFiles));
