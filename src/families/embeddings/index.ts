import { type Family, family } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import { operations } from './contract.ts';
import { embeddingsService } from './service.ts';

export const embeddingsFamily = (models: ModelGateway): Family =>
  family('embeddings', operations, embeddingsService(models));
