import { readFileSync } from 'node:fs';
import { Ajv, type ErrorObject } from 'ajv';
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';
import { ConfigFile } from './config-schema.ts';

/** What is wrong with the configuration, one line per fault, each with its place in the file. */
export class ConfigError extends Error {
  constructor(faults: string[]) {
    super(faults.join('\n'));
    this.name = 'ConfigError';
  }
}

export type KeyPath = (string | number)[];

export interface ParsedConfigFile {
  content: ConfigFile;
  /** A message about the value at `path` (or about the key itself), prefixed with its place. */
  fault(path: KeyPath, message: string, about?: 'key' | 'value'): string;
}

const shownFaults = 10;

export function parseConfigFile(file: string): ParsedConfigFile {
  const lines = new LineCounter();
  const document = parseDocument(read(file), { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new ConfigError(document.errors.map((error) => `${place(error.pos[0])}: ${error.message}`));
  }
  const fault: ParsedConfigFile['fault'] = (path, message, about = 'value') =>
    `${place(offsetOf(document, path, about))}: ${path.length === 0 ? '' : `${keyPath(path)}: `}${message}`;

  const content = withoutNulls(contentOf(document, file));
  // Compiled here, so that a start without a file does not pay for it.
  const check = new Ajv({ allErrors: true, strict: false, verbose: true }).compile<ConfigFile>(ConfigFile);
  if (check(content)) return { content, fault };
  const faults = (check.errors ?? []).map((error) => describe(error, fault));
  throw new ConfigError([...new Set(faults)].slice(0, shownFaults));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message;
    throw new ConfigError([`${file}: cannot be read: ${reason}`]);
  }
}

function contentOf(document: Document, file: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    throw new ConfigError([`${file}:1:1: ${(error as Error).message}`]);
  }
}

/** A key whose entries are all commented out reads as null; it means the default. */
function withoutNulls(content: unknown): unknown {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return content;
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== null));
}

function describe(error: ErrorObject, fault: ParsedConfigFile['fault']): string {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const known = Object.keys((error.parentSchema as { properties?: object } | undefined)?.properties ?? {});
  if (error.keyword === 'additionalProperties') {
    const key = String(error.params.additionalProperty);
    return fault([...path, key], `unknown key; known here are ${known.join(', ')}`, 'key');
  }
  if (error.keyword === 'required')
    return fault(path, `the key '${error.params.missingProperty}' is missing`);
  if (path.at(-1) === 'apiKey') return fault(path, apiKeyRule);
  return fault(path, expectation(error, known));
}

const apiKeyRule =
  'must not be the key itself, but say where it is: `apiKey: { env: NAME_OF_VARIABLE }` or `apiKey: { file: PATH }`';

function expectation(error: ErrorObject, known: string[]): string {
  const schema = error.parentSchema as { rule?: string } | undefined;
  if (error.keyword === 'enum')
    return `must be one of ${(error.params.allowedValues as string[]).join(', ')}`;
  if (error.keyword === 'type' && error.params.type === 'object')
    return `must be a map with the keys ${known.join(', ')}`;
  if (error.keyword === 'type') return `must be ${typeNames[String(error.params.type)] ?? error.params.type}`;
  if (error.keyword === 'pattern' && schema?.rule !== undefined) return `must be ${schema.rule}`;
  if (error.keyword === 'minItems') return 'must have at least one entry';
  if (error.keyword === 'uniqueItems') return 'must not name the same twice';
  return error.message ?? 'is not valid';
}

const typeNames: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  number: 'a number',
  string: 'a text',
};

/** `deployments[0].provider`. */
function keyPath(path: KeyPath): string {
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : at === 0 ? part : `.${part}`))
    .join('');
}

/** Where the value at `path` starts, or the nearest thing around it that has a place. */
function offsetOf(document: Document, path: KeyPath, about: 'key' | 'value'): number {
  if (about === 'key') {
    const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1), true);
    const pair = isMap(parent)
      ? parent.items.find((item) => String(item.key) === String(path.at(-1)))
      : undefined;
    if (isNode(pair?.key) && pair.key.range) return pair.key.range[0];
  }
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}
