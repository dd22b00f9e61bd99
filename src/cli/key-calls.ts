/** API keys of a data directory: through the server that runs on it, else in its files. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { projectName, projectNameRule } from '../config-shapes.ts';
import { invalidPayload } from '../errors.ts';
import { lockDataDirectory } from '../storage/data-lock.ts';
import type { ApiKeys, KeyDescription, NewKey, WantedKey } from '../trust/api-keys.ts';
import { ensureCredentials } from '../trust/credentials.ts';
import { makeDirectory } from '../trust/durable-file.ts';
import { auditCommand } from '../trust/offline-audit.ts';
import { createRoles, type Roles } from '../trust/roles.ts';
import { readRunFile } from '../trust/run-file.ts';
import { openApi } from './api-call.ts';
import { configurationFile, loadConfiguration } from './configuration.ts';

export interface KeyCalls {
  list(): Promise<KeyDescription[]>;
  create(wanted: WantedKey): Promise<NewKey>;
  rotate(name: string, graceSeconds: number): Promise<NewKey>;
  revoke(name: string): Promise<void>;
}

export interface KeyPlace {
  data: string;
  /** The configuration file that was named; it counts where no server runs. */
  config: string | null;
}

export async function withKeys<T>(
  { data, config }: KeyPlace,
  use: (keys: KeyCalls) => Promise<T>,
): Promise<T> {
  const directory = resolve(data);
  const server = readRunFile(directory);
  if (server !== null) return use(await servedKeys(server));
  if (!existsSync(directory)) makeDirectory(directory);
  const lock = lockDataDirectory(directory);
  try {
    const { keys } = ensureCredentials(directory, { makeKey: false });
    return await use(storedKeys(directory, keys, () => rolesOf(config)));
  } finally {
    lock.release();
  }
}

async function servedKeys(server: Parameters<typeof openApi>[0]): Promise<KeyCalls> {
  const call = await openApi(server, null);
  const pathOf = (name: string): string => `/admin/api_keys/${encodeURIComponent(name)}`;
  return {
    async list() {
      return ((await call('GET', '/admin/api_keys')).body as { value: KeyDescription[] }).value;
    },
    async create({ name, grants, lifetimeSeconds }) {
      const expiry = lifetimeSeconds === null ? {} : { expiresInSeconds: lifetimeSeconds };
      return (await call('POST', '/admin/api_keys', { name, grants, ...expiry })).body as NewKey;
    },
    async rotate(name, graceSeconds) {
      return (await call('POST', `${pathOf(name)}:rotate`, { graceSeconds })).body as NewKey;
    },
    async revoke(name) {
      await call('DELETE', pathOf(name));
    },
  };
}

const rolesOf = (config: string | null): Roles =>
  createRoles(loadConfiguration(configurationFile(config), null, false).roles);

const storedKeys = (directory: string, keys: ApiKeys, roles: () => Roles): KeyCalls => ({
  list: async () => keys.list(),
  async create(wanted) {
    // Which projects there are is for the server to know; this much can be told without it.
    for (const [at, { project }] of wanted.grants.entries()) {
      if (project === null || projectName.test(project)) continue;
      throw invalidPayload(`grants[${at}].project`, `The project has to be ${projectNameRule}.`);
    }
    const made = keys.create({ ...wanted, grants: roles().grants(wanted.grants) });
    await auditCommand(directory, `key create ${made.name}`);
    return made;
  },
  async rotate(name, graceSeconds) {
    const made = keys.rotate(name, graceSeconds);
    await auditCommand(directory, `key rotate ${name}`);
    return made;
  },
  async revoke(name) {
    keys.revoke(name);
    await auditCommand(directory, `key revoke ${name}`);
  },
});
