import type { Family } from '../kit/operation.ts';

const projectBase = '/openai/v1';
const agentBase = '/agents/[^/]+/endpoint/protocols/openai(?:/v1)?';

/** For a path that matched no route: the methods it exists with. Asked only on the way to an error. */
export function methodsOf(families: Family[]): (path: string) => string[] {
  let rows: { pattern: RegExp; method: string }[] | undefined;
  return (path) => {
    rows ??= families.flatMap((family) =>
      Object.values(family.operations).map(({ path: template, method, wire, onAgentEndpoint }) => {
        const base =
          wire === 'foundry' ? '' : onAgentEndpoint ? `(?:${projectBase}|${agentBase})` : projectBase;
        const tail = template
          .replace(/[.]/g, '\\$&')
          .replace(/\{\w+\}(:?)/g, (_, verb) => (verb ? '[^/:]+:' : '[^/]+'));
        return { pattern: new RegExp(`^/api/projects/[^/]+${base}${tail}/?$`), method };
      }),
    );
    return [...new Set(rows.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method))].sort();
  };
}
