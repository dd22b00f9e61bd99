import { expect, test } from 'vitest';
import { roleNames } from './principal.ts';
import { createRoles, roleDefinitions } from './roles.ts';

const data = (name: string) => ({ name, isData: true });
const custom = (dataActions: string[], notDataActions: string[] = [], actions: string[] = []) =>
  createRoles([{ name: 'Mine', actions, dataActions, notDataActions }]).named('Mine');

test('roles answer to their name, their other name and their id, whatever the capitals', () => {
  const roles = createRoles();
  for (const name of roleNames) {
    const { id, otherNames } = roleDefinitions[name];
    for (const called of [name, name.toUpperCase(), id ?? name, ...otherNames]) {
      expect(roles.named(called)?.name).toBe(name);
    }
  }
  expect(roles.named('Owner of everything')).toBeNull();
});

test.each([
  ['A/b/read', 'a/B/READ', true],
  ['A/*', 'A/b/c/read', true],
  ['A/*/read', 'A/b/c/read', true],
  ['A/*/read', 'A/read', false],
  ['A/*/read', 'A/b/readers', false],
  ['A.b/c', 'Axb/c', false],
  ['*/read', 'anything/at/all/read', true],
  ['A/b', 'A/b/read', false],
])('%s, asked for %s: %s', (pattern, action, allowed) => {
  expect(custom([pattern])?.allows(data(action))).toBe(allowed);
});

test('what is taken out is refused, and data is not granted by actions, nor the other way round', () => {
  const role = custom(['A/*'], ['A/b/*'], ['C/*']);
  expect(role?.allows(data('A/x/read'))).toBe(true);
  expect(role?.allows(data('A/b/read'))).toBe(false);
  expect(role?.allows({ name: 'A/x/read', isData: false })).toBe(false);
  expect(role?.allows({ name: 'C/read', isData: false })).toBe(true);
  expect(role?.allows(data('C/read'))).toBe(false);
});

test('a role of the configuration does not pass for one of Azure', () => {
  const named = (name: string) => () =>
    createRoles([{ name, actions: [], dataActions: [], notDataActions: [] }]);
  expect(named('reader')).toThrow("'reader' is the name of another role");
  expect(named('Foundry Owner')).toThrow('another role');
  expect(named('Mine')).not.toThrow();
});

test('roles are given by their own names; one that there is not is refused', () => {
  const roles = createRoles([{ name: 'Builder', actions: [], dataActions: [], notDataActions: [] }]);
  expect(
    roles.grants([
      { role: 'foundry user', project: 'p' },
      { role: 'builder', project: null },
    ]),
  ).toEqual([
    { role: 'Azure AI User', project: 'p' },
    { role: 'Builder', project: null },
  ]);
  expect(() => roles.grants([{ role: 'King', project: null }])).toThrow(
    expect.objectContaining({ target: 'grants[0].role', message: expect.stringContaining('Builder') }),
  );
});

test('who is no owner of the server gives nobody more than a user may do', () => {
  const roles = createRoles();
  const giver = (role: string, project: string | null) =>
    ({ kind: 'key', id: 'k', name: 'k', grants: [{ role, project }] }) as const;
  const give = (by: ReturnType<typeof giver>, role: string) => () =>
    roles.requireGiver(by, [{ role, project: null }]);
  expect(give(giver('Foundry Owner', null), 'Azure AI Owner')).not.toThrow();
  expect(give(giver('Azure AI Account Owner', null), 'Azure AI User')).not.toThrow();
  for (const by of [giver('Azure AI Account Owner', null), giver('Azure AI Owner', 'p')]) {
    expect(give(by, 'Azure AI Owner')).toThrow(expect.objectContaining({ status: 403 }));
  }
});
