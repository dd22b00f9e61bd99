/** `node scripts/client-routes.ts` writes src/client/routes.ts: what the client has to know of the contracts when it runs. */
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import type { Route } from '../src/client/route.ts';
import type { Operation, Operations } from '../src/kit/operation.ts';

const families = new URL('../src/families/', import.meta.url);
export const routesFile = new URL('../src/client/routes.ts', import.meta.url);

/** Two families are of models; the contract calls these by where they are registered. */
const otherNames: Record<string, string> = { 'assets/models': 'registeredModels' };

interface Contract {
  /** `vectorStores` */
  name: string;
  /** From `src/families`. */
  file: string;
  operations: Operations;
}

async function contracts(): Promise<Contract[]> {
  const files = readdirSync(families, { recursive: true, encoding: 'utf8' });
  const found = files
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => file.endsWith('/contract.ts'))
    .map(async (file) => {
      const { operations } = (await import(new URL(file, families).href)) as { operations: Operations };
      return { name: nameOf(file.replace('/contract.ts', '')), file, operations };
    });
  return (await Promise.all(found)).sort((a, b) => (a.name < b.name ? -1 : 1));
}

const nameOf = (folder: string): string =>
  otherNames[folder] ??
  (folder.split('/').at(-1) ?? '').replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The SDKs write `$delete` where `delete` can't be the name of a function; of a member it can. */
const memberName = (operation: string): string => operation.replace('$', '');

/** Where the elements of a page are. */
const listed = ['data', 'value', 'entries'];

export function routeOf({ method, path, wire, preview, consumes, streams, ...operation }: Operation): Route {
  const bodyFields = (operation.body as { properties?: object } | undefined)?.properties ?? {};
  const properties = (operation.result as { properties?: object } | undefined)?.properties ?? {};
  return {
    method,
    path,
    wire,
    ...(preview === undefined ? {} : { preview }),
    ...(consumes === undefined ? {} : { consumes }),
    ...(operation.body === undefined ? {} : { hasBody: true }),
    ...(operation.bodyOptional ? { bodyOptional: true } : {}),
    ...(streams
      ? { streamsBy: 'stream_format' in bodyFields ? { stream_format: 'sse' } : { stream: true } }
      : {}),
    ...(operation.result === undefined && operation.answersBytes ? { answersBytes: true } : {}),
    ...(method === 'GET' && listed.some((name) => name in properties) ? { isPage: true } : {}),
  };
}

export async function currentRoutes(): Promise<Record<string, Record<string, Route>>> {
  return Object.fromEntries(
    (await contracts()).map(({ name, operations }) => [
      name,
      Object.fromEntries(Object.entries(operations).map(([key, row]) => [memberName(key), routeOf(row)])),
    ]),
  );
}

async function sourceText(): Promise<string> {
  const all = await contracts();
  const imports = all.map(
    ({ name, file }) => `import type { operations as ${name} } from '../families/${file}';`,
  );
  return `/** Written by \`node scripts/client-routes.ts\` from the contracts: their types, and of their values only these. */
${imports.join('\n')}
import type { Route } from './route.ts';

export interface Contracts {
${all.map(({ name }) => `  ${name}: typeof ${name};`).join('\n')}
}

export const routes = ${JSON.stringify(await currentRoutes())} as const satisfies Record<string, Record<string, Route>>;
`;
}

if (import.meta.main) {
  writeFileSync(routesFile, await sourceText());
  spawnSync('biome', ['check', '--write', routesFile.pathname], { stdio: 'inherit' });
}
