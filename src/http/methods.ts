import type { Family, Operation } from '../kit/operation.ts';

const project = '/api/projects/[^/]+';
const openaiBase = `${project}/openai/v1`;
const agentBase = `${project}/agents/[^/]+/endpoint/protocols/openai(?:/v1)?`;

function baseOf({ wire, onAgentEndpoint }: Operation): string {
  if (wire === 'admin') return '/admin';
  if (wire === 'foundry') return project;
  return onAgentEndpoint ? `(?:${openaiBase}|${agentBase})` : openaiBase;
}

/** For a path that matched no route: the methods it exists with. Asked only on the way to an error. */
export function methodsOf(families: Family[]): (path: string) => string[] {
  let rows: { pattern: RegExp; method: string }[] | undefined;
  return (path) => {
    rows ??= families.flatMap((family) =>
      Object.values(family.operations).map((operation) => {
        const { method, path: template } = operation;
        const tail = template
          .replace(/[.]/g, '\\$&')
          .replace(/\{\w+\}(:?)/g, (_, verb) => (verb ? '[^/:]+:' : '[^/]+'));
        return { pattern: new RegExp(`^${baseOf(operation)}${tail}/?$`), method };
      }),
    );
    return [...new Set(rows.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))].sort();
  };
}
