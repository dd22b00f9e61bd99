/** `node scripts/check-imports.ts`: imports point one way. Prints what does not, and fails. */
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Of each layer: the layers it may use, and those it may only name the types of. Its own files are always open to it. */
const layers: Record<string, { uses: string[]; names?: string[] }> = {
  errors: { uses: [] },
  log: { uses: [] },
  yaml: { uses: [] },
  config: { uses: ['errors', 'kit', 'trust', 'yaml'] },
  trust: { uses: ['errors'] },
  storage: { uses: ['errors', 'trust'] },
  kit: { uses: ['errors', 'storage'], names: ['trust'] },
  traffic: { uses: ['errors', 'kit'], names: ['config'] },
  faults: { uses: ['errors', 'kit', 'yaml'] },
  providers: { uses: ['errors', 'kit', 'traffic', 'yaml'], names: ['config'] },
  families: {
    uses: ['errors', 'kit', 'providers', 'storage', 'traffic'],
    names: ['config', 'faults', 'trust'],
  },
  http: { uses: ['errors', 'faults', 'kit', 'traffic', 'trust'], names: ['config'] },
  openapi: { uses: ['kit', 'http'] },
  app: { uses: ['errors', 'kit', 'http', 'openapi', 'traffic'], names: ['config', 'faults'] },
  purge: { uses: ['config', 'families', 'kit', 'providers', 'storage', 'trust'] },
  server: {
    uses: [
      'app',
      'config',
      'families',
      'faults',
      'http',
      'kit',
      'log',
      'providers',
      'storage',
      'traffic',
      'trust',
    ],
  },
  client: { uses: [], names: ['families', 'kit'] },
  testing: { uses: ['client'], names: ['kit'] },
  recordings: { uses: ['errors', 'http', 'kit'] },
  cli: { uses: ['server', 'client', 'purge', 'config', 'errors', 'recordings', 'storage', 'trust'] },
  main: { uses: ['cli', 'errors'] },
};

/** What a family shows to the others: shapes and what belongs to a shape. It needs nothing but the kit and its like. */
const contractFiles = /^src\/families\/[^/]+\/(contract|definition|items|messages|request-parts|tools)\.ts$/;
const storageWords = /sqlite|postgres/i;
/** The search index is a store of its own, of what can be made again from the files. */
const storageWordsAllowed =
  /^test\/(faults|upgrade)\/|^src\/(storage\/|providers\/search\/|config[^/]*\.ts$|cli\/doctor[^/]*\.ts$)/;

export const isTest = (file: string): boolean => /^test\/|\.test\.ts$|^src\/.+\/testing\//.test(file);
const layerOf = (file: string): string => /^src\/([a-z]+)/.exec(file)?.[1] ?? '';
const familyOf = (file: string): string => /^src\/families\/([^/]+)\//.exec(file)?.[1] ?? 'all';

/** Every rule that the sources (text by path from the root) break, as `file: what is wrong`. */
export function importViolations(sources: Record<string, string>): string[] {
  return Object.entries(sources).flatMap(([file, text]) => {
    const code = isTest(file) ? text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, '') : text;
    const word = storageWordsAllowed.test(file) ? null : storageWords.exec(code)?.[0];
    const wrong = isTest(file) ? [] : importsOf(file, text).map((found) => complaint(file, found));
    const said = [word ? `says '${word}', which only storage and configuration may` : null, ...wrong];
    return said.filter((one) => one !== null).map((one) => `${file}: ${one}`);
  });
}

interface Import {
  to: string;
  typeOnly: boolean;
}

function importsOf(file: string, text: string): Import[] {
  const found = text.matchAll(
    /^(?:import|export)\s+(type\s)?([^'";]*?)\s*from\s*'(\.[^']+)'|^import()()\s*'(\.[^']+)'|\bimport()()\('(\.[^']+)'\)/gm,
  );
  return [...found].map(([, type, names = '', from, , , bare, , , dynamic]) => {
    const listed = /^\{([^}]*)\}$/
      .exec(names)?.[1]
      ?.split(',')
      .filter((name) => name.trim() !== '');
    const to = posix.join(posix.dirname(file), from ?? bare ?? dynamic ?? '');
    const onlyTypes = listed?.every((name) => name.trim().startsWith('type ')) ?? false;
    return { to, typeOnly: type !== undefined || onlyTypes };
  });
}

function complaint(file: string, { to, typeOnly }: Import): string | null {
  const layer = layers[layerOf(file)];
  const target = layerOf(to);
  if (layer === undefined) return `belongs to no layer that this check knows`;
  if (isTest(to)) return `uses ${to}, which is there for tests`;
  if (target !== layerOf(file)) {
    if (layer.uses.includes(target) || (typeOnly && layer.names?.includes(target))) {
      const plain = !contractFiles.test(file) || typeOnly || target === 'kit' || target === 'errors';
      return plain ? null : `is a contract and needs the values of ${to}`;
    }
    return `may not use ${typeOnly ? 'types' : 'values'} of ${to}`;
  }
  if (target !== 'families' || typeOnly || contractFiles.test(to)) return null;
  if (contractFiles.test(file)) return `is a contract and needs the values of ${to}`;
  const own =
    familyOf(file) === familyOf(to) ||
    (/^src\/families\/(index|leftovers)\.ts$/.test(file) && to.endsWith('/index.ts')) ||
    (file === 'src/families/project-tables.ts' && /\/(project|server)-tables\.ts$/.test(to));
  return own ? null : `needs the values of another family's ${to}, which is not one of its contract files`;
}

/** The sources of the server and its tests, by path from the root. */
export function readSources(root = new URL('../', import.meta.url)): Record<string, string> {
  const files = ['src', 'test'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' }).map(
      (file) => `${folder}/${file}`,
    ),
  );
  const kept = files.filter((file) => file.endsWith('.ts') && !file.includes('node_modules/'));
  return Object.fromEntries(kept.map((file) => [file, readFileSync(new URL(file, root), 'utf8')]));
}

if (import.meta.main) {
  const violations = importViolations(readSources());
  for (const violation of violations) process.stderr.write(`${violation}\n`);
  process.exitCode = violations.length > 0 ? 1 : 0;
}
