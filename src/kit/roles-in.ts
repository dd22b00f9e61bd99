import type { Grant } from '../trust/principal.ts';

/** The roles that hold in a project. */
export const rolesIn = (grants: readonly Grant[], project: string): string[] => [
  ...new Set(
    grants.filter((grant) => grant.project === null || grant.project === project).map(({ role }) => role),
  ),
];
