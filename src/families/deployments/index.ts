import { type Family, family } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import { operations } from './contract.ts';
import { deploymentsService } from './service.ts';

export const deploymentsFamily = (models: ModelGateway): Family =>
  family('deployments', operations, deploymentsService(models));
