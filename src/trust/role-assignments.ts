import type { Grant } from './principal.ts';

/** Gives a role to whoever a token says its holder is. */
export interface RoleAssignment {
  /** What `id` is the id of; of an app role it is the value. */
  of: 'user' | 'group' | 'app' | 'appRole';
  id: string;
  role: string;
  /** Null for everywhere. */
  project: string | null;
}

/** Who the holder of a token is, as far as roles depend on it. */
export interface Holder {
  kind: 'user' | 'app';
  objectId: string;
  /** Of an app. */
  clientId: string | null;
  groups: readonly string[];
  appRoles: readonly string[];
}

export function assignedGrants(holder: Holder, assignments: readonly RoleAssignment[]): Grant[] {
  return assignments
    .filter(({ of, id }) => idsOf(holder, of).includes(id))
    .map(({ role, project }) => ({ role, project }));
}

function idsOf(holder: Holder, of: RoleAssignment['of']): readonly (string | null)[] {
  switch (of) {
    case 'group':
      return holder.groups;
    case 'appRole':
      return holder.appRoles;
    // The app that a user has signed in to gives that user nothing.
    case 'app':
      return holder.kind === 'app' ? [holder.clientId, holder.objectId] : [];
    case 'user':
      return holder.kind === 'user' ? [holder.objectId] : [];
  }
}
