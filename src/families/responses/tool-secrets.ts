import { conflict } from '../../errors.ts';
import { secretsOfAll, withoutSecrets, withSecrets } from '../../kit/tool-secrets.ts';
import type { Sealer } from '../../trust/sealing.ts';
import type { Blueprint } from './plan.ts';
import type { Tool } from './request-parts.ts';

const purpose = 'tools';

/** What a background response is taken up from, with the secrets of its tools sealed: it is stored. */
export function sealBlueprint(blueprint: Blueprint, sealer: Sealer, project: string): Blueprint {
  const { tools } = blueprint.settings;
  const secrets = secretsOfAll(tools);
  if (secrets === null) return blueprint;
  return {
    ...blueprint,
    settings: { ...blueprint.settings, tools: tools.map((tool) => withoutSecrets(tool) as Tool) },
    toolSecrets: sealer.seal(secrets, purpose, project),
  };
}

export function unsealBlueprint(blueprint: Blueprint, sealer: Sealer, project: string): Blueprint {
  const { toolSecrets: sealed, ...plain } = blueprint;
  if (sealed === undefined) return blueprint;
  const text = sealer.open(sealed, purpose, project);
  if (text === null) {
    throw conflict("The credentials of this response's tools were sealed with another key; send it again.");
  }
  return { ...plain, settings: { ...plain.settings, tools: withSecrets(plain.settings.tools, text) } };
}
