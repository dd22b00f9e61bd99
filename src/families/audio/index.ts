import { type Family, family } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import { operations } from './contract.ts';
import { audioService } from './service.ts';

export const audioFamily = (models: ModelGateway): Family =>
  family('audio', operations, audioService(models));
