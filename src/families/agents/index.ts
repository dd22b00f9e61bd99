import { family } from '../../kit/operation.ts';
import type { Database } from '../../storage/database.ts';
import { operations } from './contract.ts';
import { defaultEndpoint } from './definition.ts';
import { rememberAgents } from './remembered.ts';
import { agentsService } from './service.ts';
import { agentStore } from './store.ts';

export { agentDirectory } from './directory.ts';
export { migrations } from './migrations.ts';

export function agentsFamily(database: Database) {
  const store = rememberAgents(agentStore(database, { endpoint: defaultEndpoint }));
  return { family: family('agents', operations, agentsService(store)), store };
}
