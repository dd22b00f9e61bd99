import { type Family, family } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import { operations } from './contract.ts';
import { imagesService } from './service.ts';

export const imagesFamily = (models: ModelGateway): Family =>
  family('images', operations, imagesService(models));
