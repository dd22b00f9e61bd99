import { type Family, family } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import { operations } from './contract.ts';
import { modelsService } from './service.ts';

export const modelsFamily = (models: ModelGateway): Family =>
  family('models', operations, modelsService(models));
