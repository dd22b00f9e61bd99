import { type Family, family } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import { operations } from './contract.ts';
import { chatCompletionsService } from './service.ts';

export const chatCompletionsFamily = (models: ModelGateway): Family =>
  family('chat-completions', operations, chatCompletionsService(models));
