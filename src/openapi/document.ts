import type { Mount } from '../http/authorization.ts';
import { mountsOf } from '../http/mounts.ts';
import type { Family, Operation } from '../kit/operation.ts';
import { answersOf, errorResponses, errorSchemas } from './answers.ts';
import { Components, pascal } from './components.ts';
import { parametersOf, sharedParameters } from './parameters.ts';
import { type JsonSchema, plainSchema } from './plain-schema.ts';

export interface OpenApiDocument {
  openapi: string;
  paths: Record<string, Record<string, JsonSchema>>;
  components: Record<string, Record<string, JsonSchema>>;
  [member: string]: unknown;
}

interface Served {
  operation: Operation;
  group: string;
  /** `agents_createVersion` */
  id: string;
  body: JsonSchema | null;
  result: JsonSchema | null;
}

/** The OpenAPI 3.1 document of all that the families serve. */
export function openApiDocument(families: Family[], version: string): OpenApiDocument {
  const served = families.flatMap(servedBy);
  const components = new Components();
  for (const { body, result } of served) {
    for (const schema of [body, result]) if (schema !== null) components.count(schema);
  }
  const paths: OpenApiDocument['paths'] = {};
  for (const each of served) addTo(paths, components, each);
  return {
    openapi: '3.1.1',
    info: {
      title: 'Bloomery',
      version,
      description:
        'The Microsoft Foundry project API and its OpenAI-compatible half, as this server has them.',
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { apiKey: [] }],
    tags: [...new Set(served.map(({ group }) => group))].sort().map((name) => ({ name })),
    paths: Object.fromEntries(Object.entries(paths).sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: { ...errorSchemas, ...components.schemas },
      parameters: sharedParameters,
      responses: errorResponses,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A token, or an API key.' },
        apiKey: { type: 'apiKey', in: 'header', name: 'api-key' },
      },
    },
  };
}

function servedBy(family: Family): Served[] {
  return Object.entries(family.operations).map(([key, operation]) => {
    // Those that are not built are named `foundry:beta/routines.list`.
    const [, named = family.name, name = key] = /^\w+:(?:beta\/)?(.+)\.(\w+)$/.exec(key) ?? [];
    const group = camel(named);
    return {
      operation,
      group,
      id: `${group}_${name.replace('$', '')}`,
      body: operation.body === undefined ? null : plainSchema(operation.body),
      result: operation.result === undefined ? null : plainSchema(operation.result),
    };
  });
}

const camel = (text: string): string => {
  const name = pascal(text);
  return name.charAt(0).toLowerCase() + name.slice(1);
};

const idPrefixes: Record<Mount, string> = {
  native: '',
  openai: '',
  admin: '',
  'agent-endpoint': 'agentEndpoint',
};

function addTo(paths: OpenApiDocument['paths'], components: Components, served: Served): void {
  const { operation, group, id } = served;
  const words = [group, id.slice(group.length + 1)];
  const body = served.body && components.take(served.body, [...words, 'body']);
  const result = served.result && components.take(served.result, [...words, 'result']);
  for (const { path, mount } of mountsOf(operation)) {
    const atV1 = mount === 'agent-endpoint' && path.includes('/protocols/openai/v1/') ? 'V1' : '';
    const prefix = idPrefixes[mount] === '' ? '' : `${idPrefixes[mount]}${atV1}_`;
    const item = {
      operationId: prefix + id,
      tags: [group],
      summary: operation.summary,
      ...(operation.notBuilt ? { 'x-not-implemented': true } : {}),
      ...(operation.preview === undefined ? {} : { 'x-preview': operation.preview }),
      parameters: parametersOf(operation, path, mount),
      ...requestBody(operation, body),
      responses: answersOf(operation, result),
    };
    paths[path] ??= {};
    const method = operation.method.toLowerCase();
    const other = paths[path][method];
    paths[path][method] = other === undefined ? item : together(other, item);
  }
}

function requestBody({ consumes, bodyOptional, method }: Operation, body: JsonSchema | null): JsonSchema {
  if (body === null && consumes === undefined) return {};
  const media = { schema: body ?? {} };
  const isPatch = method === 'PATCH' && consumes === undefined;
  const content = {
    [consumes ?? 'application/json']: media,
    ...(isPatch ? { 'application/merge-patch+json': media } : {}),
  };
  return { requestBody: { required: !bodyOptional, content } };
}

/** One place may be served once per media type of the body, but is one operation here: the first one's, if that is built. */
function together(first: JsonSchema, second: JsonSchema): JsonSchema {
  const [base, other] = first['x-not-implemented'] ? [second, first] : [first, second];
  const [baseBody, otherBody] = [base, other].map((each) => each.requestBody as Body | undefined);
  const content = { ...otherBody?.content, ...baseBody?.content };
  if (Object.keys(content).length === 0) return base;
  const unbuilt =
    other['x-not-implemented'] && !base['x-not-implemented'] ? Object.keys(otherBody?.content ?? {}) : [];
  return {
    ...base,
    ...(unbuilt.length === 0 ? {} : { 'x-not-implemented-media-types': unbuilt }),
    requestBody: { ...otherBody, ...baseBody, content },
  };
}

interface Body {
  content: JsonSchema;
}
