import { type Client, createClient } from '../client/index.ts';
import { freshName, type Project, projectOf } from './project.ts';
import { trustAuthority } from './trust.ts';
import type { Variables } from './variables.ts';

export interface Server {
  /** Of the default project. */
  readonly endpoint: string;
  /** A key that may do everything. */
  readonly key: string;
  /** What `bloomery env` would say; pass it to another process to reach the server from there. */
  readonly environment: Variables;
  /** For all that a test wants of the server and is not here. */
  readonly client: Client;
  /** Makes an empty project, under a name of its own unless one is given. */
  project(name?: string): Promise<Project>;
}

/** A server that runs already, by its variables; this process then trusts its certificate. */
export function serverAt(environment: Variables): Server {
  trustAuthority(environment.NODE_EXTRA_CA_CERTS);
  const { FOUNDRY_PROJECT_ENDPOINT: endpoint, FOUNDRY_PROJECT_API_KEY: key } = environment;
  const client = createClient({ endpoint, credential: { key } });
  return {
    endpoint,
    key,
    environment,
    client,
    async project(name = freshName()) {
      const made = await client.projects.create({ body: { name } });
      return projectOf({ client, environment }, made);
    },
  };
}
