import { readFileSync, statSync } from 'node:fs';
import { Ajv, type ErrorObject } from 'ajv';
import { type Document, isMap, isNode, LineCounter, parseDocument } from 'yaml';

/** What is wrong with a file that somebody wrote, one line per fault, each with its place in the file. */
export class ConfigError extends Error {
  constructor(faults: string[]) {
    super(faults.join('\n'));
    this.name = 'ConfigError';
  }
}

export type KeyPath = (string | number)[];

export interface YamlFile<T> {
  content: T;
  /** A message about the value at `path` (or about the key itself), prefixed with its place. */
  fault(path: KeyPath, message: string, about?: 'key' | 'value'): string;
}

const mostBytes = 1_048_576;
const shownFaults = 10;

/**
 * Reads and checks a YAML file of up to 1 MiB. Throws a `ConfigError` that names each fault with its place. Top-level
 * keys without a value are taken for absent: their entries may all be commented out.
 */
export function readYamlFile<T>(file: string, schema: object): YamlFile<T> {
  const lines = new LineCounter();
  const document = parseDocument(read(file), { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new ConfigError(document.errors.map((error) => `${place(error.pos[0])}: ${error.message}`));
  }
  const fault: YamlFile<T>['fault'] = (path, message, about = 'value') =>
    `${place(offsetOf(document, path, about))}: ${path.length === 0 ? '' : `${keyPath(path)}: `}${message}`;

  const content = withoutNulls(contentOf(document, file));
  // Compiled here, so that a start without a file does not pay for it.
  const check = new Ajv({ allErrors: true, strict: false, verbose: true }).compile<T>(schema);
  if (check(content)) return { content, fault };
  const faults = (check.errors ?? []).map((error) => describe(error, fault));
  throw new ConfigError([...new Set(faults)].slice(0, shownFaults));
}

function read(file: string): string {
  try {
    const { size } = statSync(file);
    if (size <= mostBytes) return readFileSync(file, 'utf8');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new ConfigError([
      `${file}: cannot be read: ${missing ? 'no such file' : (error as Error).message}`,
    ]);
  }
  throw new ConfigError([`${file}: is larger than ${mostBytes} bytes`]);
}

function contentOf(document: Document, file: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    throw new ConfigError([`${file}:1:1: ${(error as Error).message}`]);
  }
}

function withoutNulls(content: unknown): unknown {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) return content;
  return Object.fromEntries(Object.entries(content).filter(([, value]) => value !== null));
}

function describe(error: ErrorObject, fault: YamlFile<unknown>['fault']): string {
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
  return fault(path, expectation(error, known));
}

/** A schema's own `rule` says in words what its pattern or its shape asks for. */
function expectation(error: ErrorObject, known: string[]): string {
  const { rule } = (error.parentSchema ?? {}) as { rule?: string };
  const isShape = error.keyword !== 'type' || error.params.type === 'object';
  if (rule !== undefined && isShape) return `must ${rule}`;
  switch (error.keyword) {
    case 'enum':
      return `must be one of ${(error.params.allowedValues as unknown[]).join(', ')}`;
    case 'type':
      if (error.params.type === 'object' && known.length > 0)
        return `must be a map with the keys ${known.join(', ')}`;
      return `must be ${typeNames[String(error.params.type)] ?? error.params.type}`;
    case 'minItems':
      return 'must have at least one entry';
    case 'uniqueItems':
      return 'must not name the same twice';
    default:
      return error.message ?? 'is not valid';
  }
}

const typeNames: Record<string, string> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  object: 'a map',
  number: 'a number',
  string: 'a text',
};

/** `deployments[0].provider`. */
export function keyPath(path: KeyPath): string {
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
