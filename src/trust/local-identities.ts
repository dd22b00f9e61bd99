import { hash } from 'node:crypto';
import type { Grant } from './principal.ts';
import { assignedGrants, type RoleAssignment } from './role-assignments.ts';

/** A user or an app that this server itself makes tokens for. */
export interface LocalIdentity {
  kind: 'user' | 'app';
  name: string;
  objectId: string;
  /** Null for users. */
  clientId: string | null;
  groups: readonly string[];
  grants: readonly Grant[];
}

/** An id of the usual form that is the same wherever the same is asked for. */
export function derivedUuid(...parts: string[]): string {
  const hex = hash('sha256', `bloomery\n${parts.join('\n')}`, 'hex');
  // Version 8 is free for whatever an issuer makes of it, the variant is that of all such ids.
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** With what is assigned to them by their ids and groups. */
export const withAssigned = (
  identities: readonly LocalIdentity[],
  assignments: readonly RoleAssignment[],
): LocalIdentity[] =>
  identities.map((identity) => ({
    ...identity,
    grants: [...identity.grants, ...assignedGrants({ ...identity, appRoles: [] }, assignments)],
  }));
