import Type, { type Static } from 'typebox';
import { Maybe } from '../../../kit/schema.ts';
import { RequireApproval } from '../mcp/definition.ts';
import { type McpParts, mcpTool } from '../mcp/mcp-tool.ts';
import { ConnectionId } from '../named-connection.ts';
import type { ServerTool } from '../tool.ts';

const type = 'fabric_iq_preview';

const FabricIqDefinition = Type.Object({
  type: Type.Literal(type),
  project_connection_id: ConnectionId,
  server_label: Maybe(Type.String({ minLength: 1, maxLength: 128 })),
  server_url: Maybe(Type.String({ minLength: 1, maxLength: 2048 })),
  require_approval: RequireApproval,
});

/** `fabric_iq_preview`: the tools of an MCP server of Microsoft Fabric, behind a connection. */
export function fabricIqTool(parts: McpParts): ServerTool {
  const mcp = mcpTool(parts);
  return {
    ...mcp,
    type,
    definition: FabricIqDefinition,
    open(given, context) {
      const { project_connection_id, server_label, server_url, require_approval } = given as Static<
        typeof FabricIqDefinition
      >;
      const server = { server_label: server_label ?? 'fabric_iq', server_url };
      return mcp.open({ type: 'mcp', ...server, project_connection_id, require_approval }, context);
    },
  };
}
