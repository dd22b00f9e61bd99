import { type Family, family } from '../../kit/operation.ts';
import { operations } from './contract.ts';
import type { ConnectionDirectory } from './directory.ts';
import { connectionsService } from './service.ts';

export { type ConnectionDirectory, connectionBudget, connectionDirectory } from './directory.ts';
export { migrations } from './migrations.ts';
export { archivePart, projectTables } from './project-tables.ts';

export const connectionsFamily = (directory: ConnectionDirectory): Family =>
  family('connections', operations, connectionsService(directory));
