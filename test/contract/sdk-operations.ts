import { readdirSync, readFileSync } from 'node:fs';

const nodeModules = new URL('../../node_modules/', import.meta.url);

export interface NativeSdkOperation {
  /** `POST /agents/{agent_name}:enable` */
  line: string;
  contentType: string;
  /** What it sends as `Foundry-Features` by itself; null where nothing, or only what its caller gives it. */
  feature: string | null;
}

/** The operations of the installed `@azure/ai-projects`, read out of its generated source. */
export function nativeSdkOperations(): NativeSdkOperation[] {
  const root = new URL('@azure/ai-projects/dist/esm/api/', nodeModules);
  return filesBelow(root, /operations\.js$/).flatMap((source) =>
    [...source.matchAll(/export (?:async )?function _[\w$]+Send\([^)]*\)\s*\{([\s\S]*?)\n\}/g)].map(
      ([, body = '']) => {
        const pick = (pattern: RegExp) => pattern.exec(body)?.[1] ?? '';
        const path = pick(/expandUrlTemplate\("([^"]+)"/) || pick(/\.path\("([^"]+)"/);
        const sent = pick(/"foundry-features":\s*("[^"]+"|\w+)/);
        const constant = pick(/const foundryFeatures = "([^"]+)"/);
        return {
          line: `${pick(/\.(get|post|put|patch|delete|head)\(\{/).toUpperCase()} ${path.replace(/\{\?.*$/, '')}`,
          contentType: pick(/contentType:\s*"([^"]+)"/),
          feature: sent.startsWith('"')
            ? sent.slice(1, -1)
            : sent === 'foundryFeatures'
              ? constant || null
              : null,
        };
      },
    ),
  );
}

/** The operations of the installed `openai` package, as `POST /files`, with `{}` for each path parameter. */
export function openaiSdkOperations(): string[] {
  const root = new URL('openai/resources/', nodeModules);
  const methods = filesBelow(root, /\.mjs$/).flatMap((source) =>
    [...source.matchAll(/^ {4}(?:async )?\w+\([^\n]*\) \{\n([\s\S]*?)^ {4}\}/gm)].map(
      ([, body = '']) => body,
    ),
  );
  return methods.flatMap((body) => {
    const [, call = '', path] =
      /_client\s*\.(get|post|put|patch|delete|getAPIList)\((?:path\s*)?[`']([^`']+)[`']/.exec(body) ?? [];
    if (path === undefined) return [];
    const method =
      call !== 'getAPIList' ? call.toUpperCase() : body.includes("method: 'post'") ? 'POST' : 'GET';
    return [`${method} ${path.replace(/\?.*$/, '').replace(/\$\{\w+\}/g, '{}')}`];
  });
}

const filesBelow = (root: URL, pattern: RegExp): string[] =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((file) => pattern.test(file))
    .map((file) => readFileSync(new URL(file, root), 'utf8'));
