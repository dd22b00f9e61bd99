import Type, { type Static } from 'typebox';
import { unsupportedParameter } from '../../../errors.ts';
import { Maybe, OneOf } from '../../../kit/schema.ts';
import { ConnectionId } from '../named-connection.ts';

const names = Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 1000 });

const ToolFilter = Type.Object({ tool_names: Maybe(names), read_only: Maybe(Type.Boolean()) });
export type ToolFilter = Static<typeof ToolFilter>;

export const RequireApproval = Maybe(
  Type.Union([
    OneOf('always', 'never'),
    Type.Object({ always: Maybe(ToolFilter), never: Maybe(ToolFilter) }),
  ]),
);

export const McpToolDefinition = Type.Object({
  type: Type.Literal('mcp'),
  server_label: Type.String({ minLength: 1, maxLength: 128 }),
  server_url: Maybe(Type.String({ minLength: 1, maxLength: 2048 })),
  server_description: Maybe(Type.String({ maxLength: 4096 })),
  headers: Maybe(
    Type.Unsafe<Record<string, string>>({
      type: 'object',
      maxProperties: 64,
      additionalProperties: { type: 'string', maxLength: 16_384 },
    }),
  ),
  authorization: Maybe(Type.String({ minLength: 1, maxLength: 16_384 })),
  project_connection_id: Maybe(ConnectionId),
  allowed_tools: Maybe(Type.Union([names, ToolFilter])),
  require_approval: RequireApproval,
});
export type McpToolDefinition = Static<typeof McpToolDefinition>;

/** Members of the contract that can't be honoured here. */
const refused: { member: string; harmless?: (value: unknown) => boolean; advice: string }[] = [
  { member: 'connector_id', advice: "Connectors are OpenAI's own; send the 'server_url' of an MCP server." },
  { member: 'tunnel_id', advice: "Tunnels are OpenAI's own; send the 'server_url' of an MCP server." },
  {
    member: 'defer_loading',
    harmless: (value) => value === false,
    advice: 'Tools are not searched for here, but offered from the start; leave it out.',
  },
  {
    member: 'allowed_callers',
    harmless: (value) => Array.isArray(value) && value.includes('direct'),
    advice: "Only the model calls tools here; leave it out, or have 'direct' among them.",
  },
];

export function refuseUnsupported(definition: object, target: string): void {
  for (const { member, harmless, advice } of refused) {
    const value = (definition as Record<string, unknown>)[member];
    if (value !== undefined && value !== null && !harmless?.(value))
      throw unsupportedParameter(`${target}.${member}`, advice);
  }
}
