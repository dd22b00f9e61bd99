import { Answer, type Handlers } from '../../kit/operation.ts';
import type { ApiKeys } from '../../trust/api-keys.ts';
import type { Roles } from '../../trust/roles.ts';
import type { ProjectDirectory } from '../projects/index.ts';
import type { operations } from './contract.ts';

export interface ApiKeysParts {
  keys: ApiKeys;
  roles: Roles;
  projects: Pick<ProjectDirectory, 'granted'>;
}

const unkept = { 'cache-control': 'no-store' };

export function apiKeysService({ keys, roles, projects }: ApiKeysParts): Handlers<typeof operations> {
  const grantsOf = (name: string) => keys.list().find((key) => key.name === name)?.grants ?? [];
  return {
    list: () => ({ value: keys.list().map((key) => ({ ...key, grants: [...key.grants] })) }),

    create({ principal }, { body: { name, grants: wanted, expiresInSeconds = null } }) {
      const given = roles.grants(wanted);
      roles.requireGiver(principal, given);
      const grants = given.map(({ role, project }, at) => ({
        role,
        project: project === null ? null : projects.granted(project, `grants[${at}].project`),
      }));
      return new Answer(201, keys.create({ name, grants, lifetimeSeconds: expiresInSeconds }), unkept);
    },

    rotate({ principal }, { params: { name }, body }) {
      roles.requireGiver(principal, grantsOf(name));
      return new Answer(200, keys.rotate(name, body?.graceSeconds ?? 0), unkept);
    },

    revoke({ principal }, { params: { name } }) {
      roles.requireGiver(principal, grantsOf(name));
      keys.revoke(name);
      return undefined;
    },
  };
}
