import type { Outbound } from '../../outbound/outbound.ts';
import { replayPair } from '../replay-pair.ts';
import type { ServerTool } from '../tool.ts';
import { type AuthoriserParts, authoriser } from './authorise.ts';
import { callOperation } from './call-operation.ts';
import { OpenApiToolDefinition } from './definition.ts';
import { readOperations } from './operations.ts';

export interface OpenApiParts extends AuthoriserParts {
  outbound: Outbound;
}

const safe = new Set(['GET', 'HEAD', 'OPTIONS']);

/** `openapi`: each operation of an OpenAPI 3 document is a function. */
export function openApiTool(parts: OpenApiParts): ServerTool {
  return {
    type: 'openapi',
    definition: OpenApiToolDefinition,
    itemType: 'openapi_call',
    outputItemType: 'openapi_call_output',
    idempotent: false,
    timeoutSeconds: 60,
    async open(definition, context) {
      const { openapi } = definition as OpenApiToolDefinition;
      const place = `${context.target}.openapi`;
      const operations = readOperations(openapi.spec, {
        tool: { name: openapi.name, description: openapi.description ?? '' },
        defaults: new Set(openapi.default_params ?? []),
        target: `${place}.spec`,
      });
      for (const server of new Set(operations.map((operation) => operation.server))) {
        await parts.outbound.check(server, `${place}.spec.servers`);
      }
      const authorise = await authoriser(openapi.auth, operations, parts, context, place);
      const byName = new Map(operations.map((operation) => [operation.name, operation]));
      return {
        functions: operations.map(({ name, description, schema }) => ({
          name,
          description: description === '' ? null : description,
          parameters: schema,
          strict: null,
        })),
        needsApproval: () => false,
        isIdempotent: (name) => safe.has(byName.get(name)?.method ?? ''),
        fields: ({ name, arguments: text }) => ({ name, arguments: text }),
        outputFields: ({ name }) => ({ name }),
        async *run(call, signal) {
          yield* [];
          const operation = byName.get(call.name);
          if (operation === undefined) throw new Error(`No operation is named ${call.name}.`);
          const credentials = await authorise(operation);
          const given: unknown = JSON.parse(call.arguments);
          const text = await callOperation(parts.outbound, operation, given, credentials, signal);
          return { fields: { output: JSON.stringify({ response: text }) }, output: text };
        },
      };
    },
    replay: replayPair,
  };
}
