import { invalidPayload } from '../../../errors.ts';
import { isRecord } from '../../../kit/record.ts';
import { modelSchema } from './model-schema.ts';
import { argumentsSchema } from './operation-arguments.ts';
import { type Naming, operationNames } from './operation-names.ts';
import { type Parameter, readParameters } from './parameters.ts';
import { type Node, type References, references } from './references.ts';
import { type BodyForm, readBody } from './request-body.ts';
import { readSecurity, type SecurityScheme } from './security-schemes.ts';
import { serverUrl } from './servers.ts';

/** One operation of a document, ready to be offered and called. */
export interface Operation {
  /** What the model calls it. */
  name: string;
  description: string;
  method: string;
  server: string;
  /** With `{name}` for each path parameter. */
  path: string;
  parameters: Parameter[];
  body: BodyForm | null;
  /** Alternatives, each a set of schemes that have to be there together; empty where it is open to anyone. */
  security: SecurityScheme[][];
  /** JSON Schema of the arguments. */
  schema: Node;
  /** Where it stands in the definition. */
  target: string;
}

const methods = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'];
/** More functions than this no model takes. */
const mostOperations = 128;

export interface Reading {
  /** Name and description of the tool. */
  tool: { name: string; description: string };
  /** Names of parameters that are not for the model: their default is sent. */
  defaults: ReadonlySet<string>;
  /** Place of the document in the definition. */
  target: string;
}

/** Reads an OpenAPI 3 document. Throws about the place of whatever is wrong with it. */
export function readOperations(document: Node, { tool, defaults, target }: Reading): Operation[] {
  const version = document.openapi;
  if (typeof version !== 'string' || !/^3\.[012](\.\d+)?$/.test(version)) {
    throw invalidPayload(
      `${target}.openapi`,
      `'${target}.openapi' must say a version of OpenAPI 3, such as 3.1.0; other descriptions are not read.`,
    );
  }
  if (!isRecord(document.paths))
    throw invalidPayload(`${target}.paths`, `'${target}.paths' must be an object.`);
  const refs = references(document, target);
  const found = [...operationNodes(document.paths, refs, `${target}.paths`)];
  if (found.length === 0) throw invalidPayload(`${target}.paths`, 'The document has no operations.');
  if (found.length > mostOperations) {
    throw invalidPayload(
      `${target}.paths`,
      `The document has ${found.length} operations; models take at most ${mostOperations} functions. Leave out what the agent does not need.`,
    );
  }
  const schemes = readSecurity(document, refs, target);
  const names = operationNames(
    tool.name,
    found.map(({ node, method, path }): Naming => ({ operationId: node.operationId, method, path })),
  );
  return found.map(({ node, item, method, path, target: place }, i) => {
    if (!path.startsWith('/')) throw invalidPayload(place, `The path '${path}' must begin with '/'.`);
    const parameters = readParameters(
      [
        { given: item.node.parameters, target: `${item.target}.parameters` },
        { given: node.parameters, target: `${place}.parameters` },
      ],
      path,
      refs,
      place,
    );
    const body = readBody(node.requestBody, refs, `${place}.requestBody`);
    const convert = modelSchema(refs);
    return {
      name: names[i] ?? '',
      description: described(node, tool.description),
      method: method.toUpperCase(),
      server: serverUrl(
        [
          { given: node.servers, target: `${place}.servers` },
          { given: item.node.servers, target: `${item.target}.servers` },
          { given: document.servers, target: `${target}.servers` },
        ],
        target,
      ),
      path,
      parameters: parameters.map((one) => withDefault(one, defaults)),
      body,
      security: schemes(node.security, `${place}.security`),
      schema: argumentsSchema(
        parameters.filter(({ name }) => !defaults.has(name)),
        body,
        convert,
      ),
      target: place,
    };
  });
}

interface Found {
  node: Node;
  item: { node: Node; target: string };
  method: string;
  path: string;
  target: string;
}

function* operationNodes(paths: Node, refs: References, target: string): Generator<Found> {
  for (const [path, given] of Object.entries(paths)) {
    if (path.startsWith('x-')) continue;
    const item = refs.resolve(given, `${target}.${path}`);
    for (const method of methods) {
      if (item.node[method] === undefined) continue;
      const place = `${item.target}.${method}`;
      const { node } = refs.resolve(item.node[method], place);
      yield { node, item, method, path, target: place };
    }
  }
}

function described(node: Node, fallback: string): string {
  const texts = [node.summary, node.description].filter(
    (text): text is string => typeof text === 'string' && text.trim() !== '',
  );
  return texts.length === 0 ? fallback : [...new Set(texts)].join('\n');
}

function withDefault(parameter: Parameter, defaults: ReadonlySet<string>): Parameter {
  if (!defaults.has(parameter.name)) return parameter;
  const { schema, target } = parameter;
  const value = isRecord(schema) ? schema.default : undefined;
  if (value === undefined) {
    throw invalidPayload(
      target,
      `'${parameter.name}' is among 'default_params', but its schema has no 'default'.`,
    );
  }
  return { ...parameter, fixed: value };
}
