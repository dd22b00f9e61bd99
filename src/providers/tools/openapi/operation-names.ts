import { hash } from 'node:crypto';

export interface Naming {
  operationId: unknown;
  method: string;
  path: string;
}

/** What model providers take as the name of a function. */
const longest = 64;

/** Names of functions, one per operation, as Foundry makes them: `TOOL_operationId`. Valid, and different from each other. */
export function operationNames(tool: string, operations: Naming[]): string[] {
  const taken = new Set<string>();
  return operations.map(({ operationId, method, path }) => {
    const own = typeof operationId === 'string' && operationId !== '' ? operationId : `${method}_${path}`;
    const wanted = valid(`${tool}_${own}`);
    let name = shortened(wanted, '');
    for (let n = 2; taken.has(name); n++) name = shortened(wanted, `_${n}`);
    taken.add(name);
    return name;
  });
}

const valid = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/_{2,}/g, '_')
    .replace(/^_+|_+$/g, '') || 'call';

/** Long names that begin alike stay different. */
function shortened(name: string, suffix: string): string {
  if (name.length + suffix.length <= longest) return name + suffix;
  const digest = hash('sha256', name, 'hex').slice(0, 8);
  return `${name.slice(0, longest - suffix.length - digest.length - 1)}_${digest}${suffix}`;
}
