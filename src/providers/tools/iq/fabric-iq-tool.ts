import Type, { type Static } from 'typebox';
import { Maybe } from '../../../kit/schema.ts';
import { RequireApproval } from '../mcp/definition.ts';
import { type McpParts, mcpToolBase, openMcpServer } from '../mcp/mcp-tool.ts';
import type { SessionPool } from '../mcp/session-pool.ts';
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
export function fabricIqTool(parts: McpParts, pool: SessionPool): ServerTool {
  return {
    ...mcpToolBase(parts),
    type,
    definition: FabricIqDefinition,
    open(given, context) {
      const { project_connection_id, server_label, server_url, require_approval } = given as Static<
        typeof FabricIqDefinition
      >;
      const server = { server_label: server_label ?? 'fabric_iq', project_connection_id };
      return openMcpServer(
        parts,
        pool,
        {
          type: 'mcp',
          ...server,
          server_url: server_url ?? null,
          require_approval: require_approval ?? null,
        },
        context,
      );
    },
  };
}
