import type { Generated, Kysely, Transaction } from 'kysely';
import { type Budget, requireRoom } from '../../kit/budget.ts';
import type { Window } from '../../kit/cursor-page.ts';
import { type Database, prepared } from '../../storage/database.ts';
import type { Sealer } from '../../trust/sealing.ts';
import type { Agent, AgentVersion } from './contract.ts';
import type { AgentEndpoint } from './definition.ts';
import { openedDefinition, storedDefinition } from './definition-secrets.ts';

type Tables = {
  agents: {
    seq: Generated<number>;
    project: string;
    name: string;
    kind: string;
    state: 'enabled' | 'disabled';
    endpoint: string;
    card: string | null;
    latest_version: number;
    next_version: number;
  };
  agent_versions: {
    project: string;
    agent_name: string;
    version: number;
    created_at: number;
    draft: number;
    description: string | null;
    metadata: string;
    definition: string;
    /** Of the definition's tools, sealed. */
    secrets: string | null;
  };
  deleted_agents: { project: string; name: string; seq: number };
};

type VersionRow = Tables['agent_versions'];
type AgentRow = Omit<Tables['agents'], 'seq' | 'project' | 'next_version'> & VersionRow & { seq: number };

export interface NewVersion {
  created_at: number;
  draft: boolean;
  description: string | null;
  metadata: Record<string, string>;
  definition: { kind: string };
}

/** What a caller may set on the agent itself; undefined leaves it as it is. */
export interface AgentSettings {
  state?: 'enabled' | 'disabled' | undefined;
  agent_endpoint?: AgentEndpoint | undefined;
  agent_card?: object | null | undefined;
}

export interface AgentBudgets {
  agents: Budget;
  versions: Budget;
}

export const agentBudgets = (limits: { agents: number; agentVersions: number }): AgentBudgets => ({
  agents: {
    name: 'agents',
    most: limits.agents,
    noun: 'agents',
    whose: 'project',
    table: 'agents',
    per: ['project'],
  },
  versions: {
    name: 'agentVersions',
    most: limits.agentVersions,
    noun: 'versions',
    whose: 'agent',
    table: 'agent_versions',
    per: ['project', 'agent_name'],
  },
});

export type AgentStore = ReturnType<typeof agentStore>;

export function agentStore(
  database: Database,
  sealer: Sealer,
  defaults: { endpoint: AgentEndpoint },
  budgets: AgentBudgets,
) {
  const db = database.withTables<Tables>();

  const toVersion = (row: VersionRow): AgentVersion =>
    versionOf(row, openedDefinition(row, sealer, row.project));
  const toAgent = (row: AgentRow): Agent => agentOf(row, toVersion(row));

  const agents = (on: Kysely<Tables> = db) =>
    on
      .selectFrom('agents')
      .innerJoin('agent_versions', (join) =>
        join
          .onRef('agent_versions.project', '=', 'agents.project')
          .onRef('agent_versions.agent_name', '=', 'agents.name')
          .onRef('agent_versions.version', '=', 'agents.latest_version'),
      )
      .selectAll('agent_versions')
      .select(['agents.seq', 'name', 'kind', 'state', 'endpoint', 'card', 'latest_version']);

  const byName = prepared<AgentRow>(database, (parameter) =>
    agents().where('agents.project', '=', parameter('project')).where('name', '=', parameter('name')),
  );
  const byVersion = prepared<VersionRow>(database, (parameter) =>
    db
      .selectFrom('agent_versions')
      .selectAll()
      .where('project', '=', parameter('project'))
      .where('agent_name', '=', parameter('name'))
      .where('version', '=', parameter('version')),
  );

  const versionsOf = (on: Kysely<Tables>, project: string, name: string) =>
    on.selectFrom('agent_versions').where('project', '=', project).where('agent_name', '=', name);

  async function deleteIn(trx: Transaction<Tables>, project: string, name: string): Promise<boolean> {
    const gone = await trx
      .deleteFrom('agents')
      .where('project', '=', project)
      .where('name', '=', name)
      .returning('seq')
      .executeTakeFirst();
    if (gone === undefined) return false;
    await trx
      .deleteFrom('agent_versions')
      .where('project', '=', project)
      .where('agent_name', '=', name)
      .execute();
    await trx
      .insertInto('deleted_agents')
      .values({ project, name, seq: gone.seq })
      .onConflict((c) => c.columns(['project', 'name']).doUpdateSet({ seq: gone.seq }))
      .execute();
    return true;
  }

  async function update(on: Kysely<Tables>, project: string, name: string, settings: AgentSettings) {
    const changes = {
      ...(settings.state === undefined ? {} : { state: settings.state }),
      ...(settings.agent_endpoint === undefined ? {} : { endpoint: JSON.stringify(settings.agent_endpoint) }),
      ...(settings.agent_card === undefined ? {} : { card: jsonOrNull(settings.agent_card) }),
    };
    const { numUpdatedRows } = await on
      .updateTable('agents')
      .set(changes)
      .where('project', '=', project)
      .where('name', '=', name)
      .executeTakeFirst();
    return numUpdatedRows;
  }

  return {
    async find(project: string, name: string): Promise<Agent | undefined> {
      const [row] = await byName({ project, name });
      return row && toAgent(row);
    },

    async findVersion(project: string, name: string, version: number): Promise<AgentVersion | undefined> {
      const [row] = await byVersion({ project, name, version });
      return row && toVersion(row);
    },

    /** Where an agent stands in the listing, or stood before it was deleted. */
    async position(project: string, name: string): Promise<number | undefined> {
      const row =
        (await db
          .selectFrom('agents')
          .select('seq')
          .where('project', '=', project)
          .where('name', '=', name)
          .executeTakeFirst()) ??
        (await db
          .selectFrom('deleted_agents')
          .select('seq')
          .where('project', '=', project)
          .where('name', '=', name)
          .executeTakeFirst());
      return row?.seq;
    },

    async list(project: string, kind: string | undefined, window: Window<number>): Promise<Agent[]> {
      let query = agents()
        .where('agents.project', '=', project)
        .orderBy('agents.seq', window.direction)
        .limit(window.limit);
      if (kind !== undefined) query = query.where('kind', '=', kind);
      if (window.above !== null) query = query.where('agents.seq', '>', window.above);
      if (window.below !== null) query = query.where('agents.seq', '<', window.below);
      return (await query.execute()).map(toAgent);
    },

    async listVersions(
      project: string,
      name: string,
      drafts: boolean,
      window: Window<number>,
    ): Promise<AgentVersion[]> {
      let query = versionsOf(db, project, name)
        .selectAll()
        .orderBy('version', window.direction)
        .limit(window.limit);
      if (!drafts) query = query.where('draft', '=', 0);
      if (window.above !== null) query = query.where('version', '>', window.above);
      if (window.below !== null) query = query.where('version', '<', window.below);
      return (await query.execute()).map(toVersion);
    },

    /** Adds a version, and the agent where it is missing. `unlessEqual` adds none when the latest has this definition. */
    async addVersion(
      project: string,
      name: string,
      version: NewVersion,
      settings: AgentSettings = {},
      unlessEqual: (latest: AgentVersion) => boolean = () => false,
    ): Promise<{ agent: Agent; version: AgentVersion }> {
      return db.transaction().execute(async (trx) => {
        const known = await trx
          .selectFrom('agents')
          .select(['next_version', 'latest_version'])
          .where('project', '=', project)
          .where('name', '=', name)
          .executeTakeFirst();
        const number = known?.next_version ?? 1;
        const before =
          known &&
          (await agents(trx)
            .where('agents.project', '=', project)
            .where('name', '=', name)
            .executeTakeFirstOrThrow());
        if (before !== undefined && unlessEqual(toVersion(before)))
          return { agent: toAgent(before), version: toVersion(before) };
        if (known === undefined) await requireRoom(budgets.agents, trx, [project]);
        // Fewer were made than fit: none need be counted.
        else if (number > budgets.versions.most) await requireRoom(budgets.versions, trx, [project, name]);
        const row: VersionRow = {
          project,
          agent_name: name,
          version: number,
          created_at: version.created_at,
          draft: version.draft ? 1 : 0,
          description: version.description,
          metadata: JSON.stringify(version.metadata),
          ...storedDefinition(version.definition, sealer, project),
        };
        const latest = known !== undefined && version.draft ? known.latest_version : number;
        const agent = {
          kind: version.definition.kind,
          latest_version: latest,
          next_version: number + 1,
          ...(settings.state === undefined ? {} : { state: settings.state }),
          ...(settings.agent_endpoint === undefined
            ? {}
            : { endpoint: JSON.stringify(settings.agent_endpoint) }),
          ...(settings.agent_card === undefined ? {} : { card: jsonOrNull(settings.agent_card) }),
        };
        if (known === undefined) {
          await trx
            .insertInto('agents')
            .values({
              project,
              name,
              state: 'enabled',
              endpoint: JSON.stringify(defaults.endpoint),
              card: null,
              ...agent,
            })
            .execute();
        } else {
          await trx
            .updateTable('agents')
            .set(agent)
            .where('project', '=', project)
            .where('name', '=', name)
            .execute();
        }
        await trx.insertInto('agent_versions').values(row).execute();
        const after = await agents(trx)
          .where('agents.project', '=', project)
          .where('name', '=', name)
          .executeTakeFirstOrThrow();
        return { agent: toAgent(after), version: toVersion(row) };
      });
    },

    async set(project: string, name: string, settings: AgentSettings): Promise<boolean> {
      return (await update(db, project, name, settings)) > 0n;
    },

    /** Changes an agent by what it is, with nobody else's change in between. */
    async change(
      project: string,
      name: string,
      changes: (before: Agent) => AgentSettings,
    ): Promise<Agent | undefined> {
      return database.transaction().execute(async (on) => {
        const [row] = await byName({ project, name }, on);
        if (row === undefined) return undefined;
        const settings = changes(toAgent(row));
        if (Object.keys(settings).length > 0) await update(on.withTables<Tables>(), project, name, settings);
        const [after] = await byName({ project, name }, on);
        return after && toAgent(after);
      });
    },

    async delete(project: string, name: string): Promise<boolean> {
      return db.transaction().execute((trx) => deleteIn(trx, project, name));
    },

    /** Removes a version. Without any left the agent goes too, since an agent always has a latest version. */
    async deleteVersion(project: string, name: string, version: number): Promise<boolean> {
      return db.transaction().execute(async (trx) => {
        const { numDeletedRows } = await trx
          .deleteFrom('agent_versions')
          .where('project', '=', project)
          .where('agent_name', '=', name)
          .where('version', '=', version)
          .executeTakeFirst();
        if (numDeletedRows === 0n) return false;
        const latest = await versionsOf(trx, project, name)
          .select('version')
          .orderBy('draft', 'asc')
          .orderBy('version', 'desc')
          .executeTakeFirst();
        if (latest === undefined) return deleteIn(trx, project, name);
        await trx
          .updateTable('agents')
          .set({ latest_version: latest.version })
          .where('project', '=', project)
          .where('name', '=', name)
          .execute();
        return true;
      });
    },
  };
}

const jsonOrNull = (value: object | null): string | null => (value === null ? null : JSON.stringify(value));

function versionOf(row: VersionRow, definition: AgentVersion['definition']): AgentVersion {
  return {
    object: 'agent.version',
    id: `${row.agent_name}:${row.version}`,
    name: row.agent_name,
    version: String(row.version),
    ...(row.description === null ? {} : { description: row.description }),
    created_at: row.created_at,
    metadata: JSON.parse(row.metadata),
    definition,
    ...(row.draft === 0 ? {} : { draft: true }),
    status: 'active',
  };
}

function agentOf(row: AgentRow, latest: AgentVersion): Agent {
  return {
    object: 'agent',
    id: row.name,
    name: row.name,
    state: row.state,
    versions: { latest },
    agent_endpoint: JSON.parse(row.endpoint),
    ...(row.card === null ? {} : { agent_card: JSON.parse(row.card) }),
  };
}
