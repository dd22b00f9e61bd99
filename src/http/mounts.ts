import type { Operation } from '../kit/operation.ts';
import type { Mount } from './authorization.ts';

const project = '/api/projects/{project}';
const agent = `${project}/agents/{agent_name}/endpoint/protocols/openai`;

/** Where an operation is served, in the contract's notation. Those of agents answer at the agent's own address too, `/v1` optional there. */
export function mountsOf({ wire, path, onAgentEndpoint }: Operation): { path: string; mount: Mount }[] {
  if (wire === 'foundry') return [{ path: project + path, mount: 'native' }];
  if (wire === 'admin') return [{ path: `/admin${path}`, mount: 'admin' }];
  const own = onAgentEndpoint ? [agent + path, `${agent}/v1${path}`] : [];
  return [
    { path: `${project}/openai/v1${path}`, mount: 'openai' },
    ...own.map((at) => ({ path: at, mount: 'agent-endpoint' as const })),
  ];
}

/** `/agents/{agent_name}:enable` in the router's notation: parameters before a verb end at the colon, `::` is a colon. */
export const routePath = (path: string): string =>
  path
    .replaceAll(':', '::')
    .replace(/\{(\w+)\}(::)?/g, (_, name, verb) => (verb ? `:${name}(^.+)::` : `:${name}`));
