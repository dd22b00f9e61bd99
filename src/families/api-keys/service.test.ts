import { afterEach, expect, test } from 'vitest';
import { createApiKeys } from '../../trust/api-keys.ts';
import { createRoles } from '../../trust/roles.ts';
import { keyOfRole, type TestApp, testApp } from '../testing/test-app.ts';
import { apiKeysFamily } from './index.ts';

let app: TestApp;
afterEach(() => app.close());

test('who may not give a role takes no key of it either', async () => {
  const keys = createApiKeys({ keys: [], revoked: [] }, { save() {} });
  for (const [name, role] of [
    ['boss', 'Azure AI Owner'],
    ['ci', 'Azure AI User'],
  ] as const) {
    keys.create({ name, grants: [{ role, project: null }], lifetimeSeconds: null });
  }
  app = await testApp(apiKeysFamily({ keys, roles: createRoles(), projects: { granted: (name) => name } }));
  const revoke = async (role: string, name: string) =>
    (await app.call('DELETE', `/admin/api_keys/${name}`, undefined, { 'api-key': keyOfRole(role) })).status;
  expect(await revoke('Azure AI Account Owner', 'boss')).toBe(403);
  expect(keys.list().map(({ name }) => name)).toEqual(['boss', 'ci']);
  expect(await revoke('Azure AI Account Owner', 'ci')).toBe(204);
  expect(await revoke('Azure AI Owner', 'boss')).toBe(204);
  expect(await revoke('Azure AI Account Owner', 'none')).toBe(404);
});
