import { longestName, shortName } from '../function-name.ts';

export interface Naming {
  operationId: unknown;
  method: string;
  path: string;
}

/** Names of functions, one per operation, as Foundry makes them: `TOOL_operationId`. Valid, and different from each other. */
export function operationNames(tool: string, operations: Naming[]): string[] {
  const taken = new Set<string>();
  return operations.map(({ operationId, method, path }) => {
    const own = typeof operationId === 'string' && operationId !== '' ? operationId : `${method}_${path}`;
    const wanted = valid(`${tool}_${own}`);
    let name = shortName(wanted);
    for (let n = 2; taken.has(name); n++) {
      const suffix = `_${n}`;
      name = shortName(wanted, longestName - suffix.length) + suffix;
    }
    taken.add(name);
    return name;
  });
}

const valid = (text: string): string =>
  text
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/_{2,}/g, '_')
    .replace(/^_+|_+$/g, '') || 'call';
