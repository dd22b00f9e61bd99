import { conflict } from '../../errors.ts';
import type { Sealer } from '../../trust/sealing.ts';
import type { Blueprint } from './plan.ts';
import type { Tool } from './request-parts.ts';

/** Members of tool definitions that nobody but the tool may see. */
const secretMembers = ['authorization', 'headers'] as const;
const purpose = 'tools';

type Secrets = Partial<Record<(typeof secretMembers)[number], unknown>>;

/** A definition as anybody may see it. */
export function withoutSecrets(tool: Tool): Record<string, unknown> {
  const shown: Record<string, unknown> = { ...tool };
  for (const name of secretMembers) delete shown[name];
  return shown;
}

function secretsOf(tool: Tool): Secrets | null {
  const given = tool as Record<string, unknown>;
  const found = secretMembers.filter((name) => given[name] !== undefined && given[name] !== null);
  return found.length === 0 ? null : Object.fromEntries(found.map((name) => [name, given[name]]));
}

/** What a background response is taken up from, with the secrets of its tools sealed: it is stored. */
export function sealBlueprint(blueprint: Blueprint, sealer: Sealer, project: string): Blueprint {
  const { tools } = blueprint.settings;
  const secrets = tools.map(secretsOf);
  if (secrets.every((one) => one === null)) return blueprint;
  return {
    ...blueprint,
    settings: { ...blueprint.settings, tools: tools.map((tool) => withoutSecrets(tool) as Tool) },
    toolSecrets: sealer.seal(JSON.stringify(secrets), purpose, project),
  };
}

export function unsealBlueprint(blueprint: Blueprint, sealer: Sealer, project: string): Blueprint {
  const { toolSecrets: sealed, ...plain } = blueprint;
  if (sealed === undefined) return blueprint;
  const text = sealer.open(sealed, purpose, project);
  if (text === null) {
    throw conflict("The credentials of this response's tools were sealed with another key; send it again.");
  }
  const secrets = JSON.parse(text) as (Secrets | null)[];
  const tools = plain.settings.tools.map((tool, i) => ({ ...tool, ...secrets[i] }));
  return { ...plain, settings: { ...plain.settings, tools } };
}
