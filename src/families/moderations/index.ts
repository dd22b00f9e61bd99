import { type Family, family } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import { operations } from './contract.ts';
import { moderationsService } from './service.ts';

export const moderationsFamily = (models: ModelGateway): Family =>
  family('moderations', operations, moderationsService(models));
