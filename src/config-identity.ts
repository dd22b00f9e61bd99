import Type, { type Static } from 'typebox';
import { bound, closed, defaultOf, projectNameRule, Text } from './config-shapes.ts';
import { projectName } from './kit/project-name.ts';
import type { EntraSettings } from './trust/entra.ts';
import { derivedUuid, type LocalIdentity, withAssigned } from './trust/local-identities.ts';
import type { RoleAssignment } from './trust/role-assignments.ts';
import type { Roles } from './trust/roles.ts';
import { acceptedAudiences } from './trust/tokens.ts';
import type { KeyPath } from './yaml-file.ts';

const uuid = /^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;
const Id = (description: string) =>
  Text(uuid, 'an id such as 00000000-0000-0000-0000-000000000000', description);
const Name = Text(/^[^\s\p{Cc}]{1,128}$/u, 'a name without spaces, at most 128 characters', 'Name.');
/** Plain HTTP stays within the machine. */
const address = /^(https:\/\/[^\s/?#@]+|http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?)(\/[^\s?#]*)?$/;
const Address = (description: string) =>
  Text(address, 'an address with https (plain http only for loopback), without a query', description);
const many = <T extends Parameters<typeof Type.Array>[0]>(item: T) =>
  Type.Optional(Type.Array(item, { maxItems: 10_000, default: [] }));

const scope = {
  role: Text(/^[^\n]{1,128}$/, 'the name of a role', 'Role, by name or id.'),
  project: Type.Optional(Text(projectName, projectNameRule, 'The only project where the role holds.')),
};
const local = {
  name: Name,
  objectId: Type.Optional(Id('Its id in tokens.')),
  roles: many(Type.Object(scope, closed)),
  groups: many(Id('A group it is in.')),
};

export const Identity = Type.Object(
  {
    users: many(Type.Object(local, closed)),
    apps: many(
      Type.Object({ ...local, clientId: Type.Optional(Id('What `AZURE_CLIENT_ID` names.')) }, closed),
    ),
    entra: Type.Optional(
      Type.Object(
        {
          tenant: Id('The tenant (directory).'),
          audiences: Type.Optional(
            Type.Array(Text(/^[^\s]{1,256}$/, 'an audience', 'What tokens may be for.'), {
              minItems: 1,
              maxItems: 100,
              default: acceptedAudiences,
            }),
          ),
          authority: Type.Optional({
            ...Address('The authority of the cloud.'),
            default: 'https://login.microsoftonline.com',
          }),
          jwksUri: Type.Optional(Address('Where the signing keys are.')),
          clockSkewSeconds: bound(0, 600, 60),
        },
        closed,
      ),
    ),
    roleAssignments: many(
      Type.Object(
        {
          user: Type.Optional(Id('Object id of a user.')),
          group: Type.Optional(Id('Object id of a group, or template id of a directory role.')),
          app: Type.Optional(Id('Client id of an app, or object id of its service principal.')),
          appRole: Type.Optional(Text(/^\S{1,256}$/, 'the value of an app role', 'Value of an app role.')),
          ...scope,
        },
        closed,
      ),
    ),
    rememberedTokens: bound(1, 1_000_000, 10_000),
  },
  closed,
);
export type IdentityEntry = Static<typeof Identity>;

export interface IdentityConfig {
  /** Users and apps that this server makes tokens for, with all they may do. */
  local: LocalIdentity[];
  /** The tenant whose tokens are taken; null for none. */
  entra: EntraSettings | null;
  roleAssignments: RoleAssignment[];
  /** Verified tokens that are kept in memory. */
  rememberedTokens: number;
}

type Fault = (path: KeyPath, message: string) => void;

export function identityConfig(given: IdentityEntry, roles: Roles, fault: Fault): IdentityConfig {
  refuseUnknownRoles(given, roles, fault);
  const roleAssignments = (given.roleAssignments ?? []).map((entry, at) =>
    assignmentOf(entry, (message) => fault(['roleAssignments', at], message)),
  );
  const local = [
    ...(given.users ?? []).map((entry) => localIdentity('user', entry)),
    ...(given.apps ?? []).map((entry) => localIdentity('app', entry)),
  ];
  refuseTwins(local, given.users?.length ?? 0, fault);
  const { entra } = given;
  return {
    local: withAssigned(local, roleAssignments),
    entra: entra === undefined ? null : entraOf(entra),
    roleAssignments,
    rememberedTokens: given.rememberedTokens ?? defaultOf<number>(Identity.properties.rememberedTokens),
  };
}

function entraOf(given: NonNullable<IdentityEntry['entra']>): EntraSettings {
  const { audiences, authority, clockSkewSeconds } = Identity.properties.entra.properties;
  return {
    tenant: given.tenant.toLowerCase(),
    audiences: given.audiences ?? defaultOf<string[]>(audiences),
    authority: (given.authority ?? defaultOf<string>(authority)).replace(/\/+$/, ''),
    jwksUri: given.jwksUri ?? null,
    clockSkewSeconds: given.clockSkewSeconds ?? defaultOf<number>(clockSkewSeconds),
  };
}

type LocalEntry = NonNullable<IdentityEntry['apps']>[number];

function localIdentity(kind: LocalIdentity['kind'], entry: LocalEntry): LocalIdentity {
  const { name, objectId, clientId, groups = [], roles = [] } = entry;
  return {
    kind,
    name,
    objectId: (objectId ?? derivedUuid(kind, name)).toLowerCase(),
    clientId: kind === 'app' ? (clientId ?? derivedUuid('client', name)).toLowerCase() : null,
    groups: groups.map((id) => id.toLowerCase()),
    grants: roles.map(({ role, project }) => ({ role, project: project ?? null })),
  };
}

function refuseUnknownRoles(given: IdentityEntry, roles: Roles, fault: Fault): void {
  const check = (role: string, path: KeyPath): void => {
    if (roles.named(role) !== null) return;
    const names = roles.all.map(({ name }) => name).join(', ');
    fault([...path, 'role'], `there is no role '${role}'; roles are ${names}`);
  };
  for (const list of ['users', 'apps'] as const) {
    for (const [at, { roles: held = [] }] of (given[list] ?? []).entries()) {
      for (const [i, { role }] of held.entries()) check(role, [list, at, 'roles', i]);
    }
  }
  for (const [at, { role }] of (given.roleAssignments ?? []).entries()) check(role, ['roleAssignments', at]);
}

function refuseTwins(local: LocalIdentity[], users: number, fault: Fault): void {
  const taken = new Set<string>();
  const take = (text: string): boolean => taken.size === taken.add(text).size;
  for (const [index, { kind, name, objectId, clientId }] of local.entries()) {
    const path = kind === 'user' ? ['users', index] : ['apps', index - users];
    if (take(`${kind} ${name}`)) fault([...path, 'name'], `another ${kind} is already named '${name}'`);
    else if (take(objectId)) fault([...path, 'objectId'], 'somebody else already has this id');
    else if (clientId !== null && take(`client ${clientId}`))
      fault([...path, 'clientId'], 'another app already has this id');
  }
}

const holders = ['user', 'group', 'app', 'appRole'] as const;

function assignmentOf(
  entry: NonNullable<IdentityEntry['roleAssignments']>[number],
  fault: (message: string) => void,
): RoleAssignment {
  const named = holders.filter((holder) => entry[holder] !== undefined);
  const of = named[0] ?? 'user';
  if (named.length !== 1) fault(`must have exactly one of the keys ${holders.join(', ')}`);
  const id = entry[of] ?? '';
  return {
    of,
    id: of === 'appRole' ? id : id.toLowerCase(),
    role: entry.role,
    project: entry.project ?? null,
  };
}
