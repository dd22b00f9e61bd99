import type { Kysely } from 'kysely';
import type { ArchiveSecrets, Row } from '../../kit/project-part.ts';
import { secretsOfAll, withoutSecrets, withSecrets } from '../../kit/tool-secrets.ts';
import type { Database } from '../../storage/database.ts';
import type { Sealer } from '../../trust/sealing.ts';

const purpose = 'agent tools';

/** A definition as it is stored: JSON without the secrets of its tools, and those sealed; null for none. */
export interface StoredDefinition {
  definition: string;
  secrets: string | null;
}

/** Any JSON may have been written by an older version. */
const toolsOf = (definition: object): object[] => {
  const { tools } = definition as { tools?: unknown };
  return Array.isArray(tools) ? tools.filter((tool) => typeof tool === 'object' && tool !== null) : [];
};

export function storedDefinition(definition: object, sealer: Sealer, project: string): StoredDefinition {
  const tools = toolsOf(definition);
  const secrets = secretsOfAll(tools);
  return secrets === null
    ? { definition: JSON.stringify(definition), secrets: null }
    : {
        definition: JSON.stringify({ ...definition, tools: tools.map(withoutSecrets) }),
        secrets: sealer.seal(secrets, purpose, project),
      };
}

/** Where nothing opens the secrets any more the tools are without them, and their servers refuse. */
export function openedDefinition(
  { definition, secrets }: StoredDefinition,
  sealer: Sealer,
  project: string,
): { kind: string } {
  const stored = JSON.parse(definition);
  const text = secrets === null ? null : sealer.open(secrets, purpose, project);
  return text === null ? stored : { ...stored, tools: withSecrets(toolsOf(stored), text) };
}

/** A row of an archive has secrets sealed or not at all; older versions stored them in the definition. */
export function exportedVersion({ secrets: sealed, ...row }: Row, along: ArchiveSecrets | null): Row {
  const carried = carriedVersion({ ...row, secrets: sealed ?? null }, along);
  const definition = JSON.parse(String(row.definition));
  const tools = toolsOf(definition);
  const plain = secretsOfAll(tools);
  if (plain === null) return carried;
  return {
    ...carried,
    definition: JSON.stringify({ ...definition, tools: tools.map(withoutSecrets) }),
    ...(along === null ? {} : { secrets: along.seal(plain, purpose) }),
  };
}

/** Without the column where there is nothing: older servers have none. */
export function carriedVersion({ secrets: sealed, ...row }: Row, along: ArchiveSecrets | null): Row {
  const secrets = sealed ? along?.carry(String(sealed), purpose) : null;
  return secrets ? { ...row, secrets } : row;
}

type SealedVersion = { project: string; agent_name: string; version: number; secrets: string | null };

/** Seals the secrets of all projects anew. Answers the versions whose secrets nobody can read any more. */
export async function resealAgents(database: Database, sealer: Sealer): Promise<string[]> {
  const unreadable: string[] = [];
  await database.transaction().execute(async (on) => {
    const trx: Kysely<{ agent_versions: SealedVersion }> = on.withTables<{ agent_versions: SealedVersion }>();
    const rows = await trx
      .selectFrom('agent_versions')
      .select(['project', 'agent_name', 'version', 'secrets'])
      .where('secrets', 'is not', null)
      .execute();
    for (const { project, agent_name, version, secrets } of rows) {
      const text = sealer.open(secrets ?? '', purpose, project);
      if (text === null) {
        unreadable.push(`${project}/${agent_name}:${version}`);
        continue;
      }
      await trx
        .updateTable('agent_versions')
        .set({ secrets: sealer.seal(text, purpose, project) })
        .where('project', '=', project)
        .where('agent_name', '=', agent_name)
        .where('version', '=', version)
        .execute();
    }
  });
  return unreadable;
}
