import { type Family, family } from '../../kit/operation.ts';
import type { ApiKeys } from '../../trust/api-keys.ts';
import type { Roles } from '../../trust/roles.ts';
import { operations } from './contract.ts';
import { apiKeysService } from './service.ts';

export const apiKeysFamily = (keys: ApiKeys, roles: Roles): Family =>
  family('api-keys', operations, apiKeysService(keys, roles));
