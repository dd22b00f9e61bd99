import { family } from '../../kit/operation.ts';
import type { ProjectPart } from '../../kit/project-part.ts';
import type { Database } from '../../storage/database.ts';
import type { Sealer } from '../../trust/sealing.ts';
import { operations } from './contract.ts';
import { defaultEndpoint } from './definition.ts';
import { carriedVersion, exportedVersion } from './definition-secrets.ts';
import { projectTables } from './project-tables.ts';
import { rememberAgents } from './remembered.ts';
import { agentsService, type CheckTool } from './service.ts';
import { type AgentBudgets, agentStore } from './store.ts';

export { resealAgents } from './definition-secrets.ts';
export { agentDirectory } from './directory.ts';
export { migrations } from './migrations.ts';
export { agentBudgets } from './store.ts';

const versions = 'agent_versions';

/** `checkTool` throws about the definition of a tool that is known and is not as it should be. */
export function agentsFamily(
  database: Database,
  sealer: Sealer,
  budgets: AgentBudgets,
  checkTool: CheckTool = () => {},
) {
  const store = rememberAgents(agentStore(database, sealer, { endpoint: defaultEndpoint }, budgets));
  const project: ProjectPart = {
    tables: projectTables,
    changed: store.forget,
    archive: {
      exported: (table, row, secrets) => (table === versions ? exportedVersion(row, secrets) : row),
      importer: (_project, secrets) => ({
        imported: (table, row) => (table === versions ? carriedVersion(row, secrets) : row),
      }),
    },
  };
  return { family: family('agents', operations, agentsService(store, checkTool)), store, project };
}
