import { actionOf } from '../../kit/data-action.ts';
import type { Operation } from '../../kit/operation.ts';
import { createRoles } from '../../trust/roles.ts';

/** Names of the roles that may call an operation. */
export const rolesThatMay = (operation: Operation): string[] =>
  createRoles()
    .all.filter((role) => role.allows(actionOf(operation)))
    .map(({ name }) => name);
