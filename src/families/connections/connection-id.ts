/** Azure's tools change the case of these fixed parts as they like. */
const root =
  '/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/bloomery/providers/Microsoft.CognitiveServices/accounts/bloomery/projects/';

const idForm = new RegExp(`^${root}([^/]+)/connections/([^/]+)$`, 'i');

/** In the form of Azure's resource ids, which clients hand on as `project_connection_id`. */
export const connectionId = (project: string, name: string): string =>
  `${root}${project}/connections/${name}`;

/** The name of a connection that is given by name or by id; undefined for an id of something else. */
export function connectionNameOf(project: string, nameOrId: string): string | undefined {
  if (!nameOrId.startsWith('/')) return nameOrId;
  const [, foundProject, name] = idForm.exec(nameOrId) ?? [];
  return foundProject === project ? name : undefined;
}
