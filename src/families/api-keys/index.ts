import { type Family, family } from '../../kit/operation.ts';
import { operations } from './contract.ts';
import { type ApiKeysParts, apiKeysService } from './service.ts';

export const apiKeysFamily = (parts: ApiKeysParts): Family =>
  family('api-keys', operations, apiKeysService(parts));
