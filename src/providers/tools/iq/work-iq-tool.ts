import Type, { type Static } from 'typebox';
import { invalidPayload } from '../../../errors.ts';
import { type A2aParts, agentTool, agentToolBase, mostAgentBytes } from '../a2a/a2a-tool.ts';
import { agentAt } from '../a2a/agent-client.ts';
import { limitedFetch } from '../a2a/limited-fetch.ts';
import { bearerToken, ConnectionId, namedConnection } from '../named-connection.ts';
import { redactions } from '../redactions.ts';
import type { OpenTool, ServerTool, ToolContext } from '../tool.ts';

const type = 'work_iq_preview';

const WorkIqDefinition = Type.Object({ type: Type.Literal(type), project_connection_id: ConnectionId });

/** `work_iq_preview`: Work IQ of Microsoft 365, an agent that speaks the A2A protocol, behind a connection. */
export function workIqTool(parts: A2aParts): ServerTool {
  return {
    ...agentToolBase,
    type,
    definition: WorkIqDefinition,
    open: (definition, context) => open(parts, definition as Static<typeof WorkIqDefinition>, context),
  };
}

async function open(
  { outbound, connections }: A2aParts,
  { project_connection_id: id }: Static<typeof WorkIqDefinition>,
  context: ToolContext,
): Promise<OpenTool> {
  const named = await namedConnection(connections, context, id, `${context.target}.project_connection_id`);
  const { connection, place } = named;
  const url = URL.parse(connection.target);
  if (url === null) {
    throw invalidPayload(
      place,
      `The connection '${connection.name}' has no address of Work IQ. Set its target to https://workiq.svc.cloud.microsoft/a2a/.`,
    );
  }
  const headers = { authorization: bearerToken(named, 'Work IQ') };
  await outbound.check(url.href, place);
  const fetchAgent = limitedFetch(outbound, {
    origin: url.origin,
    headers,
    mostBytes: mostAgentBytes,
  });
  // The gateway's own agent has no card; its address is where it is spoken to.
  const agent = await agentAt(url.href, fetchAgent, redactions(headers));
  return agentTool(connection.name, {
    ...agent,
    name: 'Work IQ',
    description: "It knows the user's work in Microsoft 365: mail, meetings, files, chats and people.",
  });
}
