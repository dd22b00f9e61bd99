import { type Family, family } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import type { ChatParts } from '../chat-completions/index.ts';
import { operations } from './contract.ts';
import { completionsService } from './service.ts';

export const completionsFamily = (models: ModelGateway, chat: ChatParts): Family =>
  family('completions', operations, completionsService(models, chat));
