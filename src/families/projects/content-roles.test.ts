import { afterEach, expect, test } from 'vitest';
import { keyOfRole } from '../testing/test-app.ts';
import { type ProjectApp, projectApp } from './testing/project-app.ts';

let app: ProjectApp;
afterEach(() => app.close());

const whole = [
  ['GET', 'default:export', undefined],
  ['POST', 'default:fork', { name: 'twin' }],
  ['POST', 'default:reset', {}],
] as const;

test.each(['Cognitive Services Contributor', 'Azure AI Account Owner', 'Azure AI User', 'Reader'])(
  '%s takes, makes and empties no project with what is in it',
  async (role) => {
    app = await projectApp();
    const headers = { 'api-key': keyOfRole(role) };
    for (const [method, path, body] of whole) {
      const { status, json } = await app.call(method, `/admin/projects/${path}`, body, headers);
      expect([status, json.error?.code], path).toEqual([403, 'PermissionDenied']);
    }
  },
);

test('the refusal names the data action, and who has it', async () => {
  app = await projectApp();
  const headers = { 'api-key': keyOfRole('Azure AI Account Owner') };
  const { json } = await app.call('GET', '/admin/projects/default:export', undefined, headers);
  expect(json.error?.message).toMatch(
    /lacks the required data action `[^`]*projects\/contents\/read`.*'Azure AI User' for the whole server would give it/,
  );
});

test('secrets go along for an owner alone', async () => {
  app = await projectApp();
  const statuses = async (role: string) => {
    const headers = { 'api-key': keyOfRole(role) };
    const path = '/admin/projects/default:exportWithSecrets';
    return (await app.call('POST', path, { passphrase: 'open sesame, please' }, headers)).status;
  };
  for (const role of ['Azure AI Project Manager', 'Azure AI User', 'Azure AI Account Owner', 'Reader']) {
    expect(await statuses(role), role).toBe(403);
  }
  expect(await statuses('Azure AI Owner')).toBe(200);
});

test.each(['Azure AI Owner', 'Azure AI Project Manager'])('%s may', async (role) => {
  app = await projectApp();
  const headers = { 'api-key': keyOfRole(role) };
  for (const [method, path, body] of whole) {
    expect((await app.call(method, `/admin/projects/${path}`, body, headers)).status, path).toBeLessThan(300);
  }
});
