import Type, { type Static } from 'typebox';
import { Maybe } from '../../../kit/schema.ts';
import { type McpToolDefinition, RequireApproval } from '../mcp/definition.ts';
import { type McpParts, mcpToolBase, openMcpServer } from '../mcp/mcp-tool.ts';
import type { SessionPool } from '../mcp/session-pool.ts';
import { ConnectionId } from '../named-connection.ts';
import { connectionLabel } from '../required-connection.ts';
import type { ServerTool } from '../tool.ts';

const WebIqDefinition = Type.Object({
  type: Type.Literal('web_iq_preview'),
  project_connection_id: ConnectionId,
  server_label: Maybe(Type.String({ minLength: 1, maxLength: 128 })),
  require_approval: RequireApproval,
});
type WebIqDefinition = Static<typeof WebIqDefinition>;

/** The header that Web IQ wants a key in. */
const keyHeader = 'x-apikey';

/** `web_iq_preview`: Web IQ is an MCP server, at the target of a connection. */
export function webIqTool(parts: McpParts, pool: SessionPool): ServerTool {
  return {
    ...mcpToolBase(parts),
    type: 'web_iq_preview',
    definition: WebIqDefinition,
    open(given, context) {
      const { project_connection_id: id, server_label: label, ...rest } = given as WebIqDefinition;
      const definition: McpToolDefinition = {
        type: 'mcp',
        server_label: label || connectionLabel(id),
        project_connection_id: id,
        ...(rest.require_approval ? { require_approval: rest.require_approval } : {}),
      };
      return openMcpServer(parts, pool, definition, context, keyHeader);
    },
  };
}
