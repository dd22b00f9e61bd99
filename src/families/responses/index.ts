import { family } from '../../kit/operation.ts';
import { operations } from './contract.ts';
import { type ResponsesParts, responsesService } from './service.ts';

export { responseEngine } from './engine.ts';
export { migrations } from './migrations.ts';
export { responseStore } from './store.ts';

export const responsesFamily = (parts: ResponsesParts) =>
  family('responses', operations, responsesService(parts));
