import { family } from '../../kit/operation.ts';
import { operations } from './contract.ts';
import { type ResponsesParts, responsesService } from './service.ts';

export { responseEngine } from './engine.ts';
export { migrations } from './migrations.ts';
export { requireFiles } from './named-files.ts';
export { projectTables } from './project-tables.ts';
export { replan } from './replan.ts';
export { keepLogsFor } from './retention.ts';
export { responseBudget, responseStore } from './store.ts';
export { toolRegistry } from './tool-set.ts';

export const responsesFamily = (parts: ResponsesParts) =>
  family('responses', operations, responsesService(parts));
