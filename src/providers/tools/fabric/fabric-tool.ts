import { invalidPayload } from '../../../errors.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import { connectionTool } from '../connection-tool.ts';
import type { ToolConnections } from '../connections.ts';
import { bearerToken, customKey, type NamedConnection } from '../named-connection.ts';
import { serviceCaller } from '../service-call.ts';
import type { ServerTool } from '../tool.ts';
import { askDataAgent } from './data-agent.ts';

export interface FabricParts {
  outbound: Outbound;
  connections: ToolConnections;
}

const fabric = 'https://api.fabric.microsoft.com/v1';
const service = 'The Fabric data agent';

/** `fabric_dataagent_preview`: a published data agent of Microsoft Fabric is a function that takes a question. */
export const fabricTool = ({ outbound, connections }: FabricParts): ServerTool =>
  connectionTool(connections, {
    type: 'fabric_dataagent_preview',
    functionName: 'fabric_dataagent',
    parameter: {
      name: 'question',
      about: 'The whole question; the data agent sees nothing of the conversation.',
    },
    timeoutSeconds: 300,
    async open(named) {
      const address = addressOf(named);
      const authorization = bearerToken(named, 'Microsoft Fabric');
      await outbound.check(address, named.place);
      return {
        description: `Ask the data agent ${named.connection.name} of Microsoft Fabric, which answers questions in plain language from the organization's data.`,
        async ask(question, signal) {
          const headers = { authorization, 'openai-beta': 'assistants=v2', activityid: crypto.randomUUID() };
          const call = serviceCaller(outbound, { name: service, headers });
          return { output: await askDataAgent(call, address, question, signal) };
        },
      };
    },
  });

/** As the published agent's settings in Fabric show it, or made of the two ids that Foundry's connections have. */
function addressOf({ connection, place }: NamedConnection): string {
  const { name, target } = connection;
  if (/^https?:\/\/.*\/aiassistant\/openai\/?$/i.test(target)) return target.replace(/\/+$/, '');
  const workspace = customKey(connection, 'workspace-id', 'workspace_id');
  const agent = customKey(connection, 'artifact-id', 'artifact_id');
  const isId = (id: string | undefined) => id !== undefined && /^[\w-]{1,128}$/.test(id);
  if (isId(workspace) && isId(agent)) {
    const base = (customKey(connection, 'fabric_url') ?? fabric).replace(/\/+$/, '');
    return `${base}/workspaces/${workspace}/dataagents/${agent}/aiassistant/openai`;
  }
  throw invalidPayload(
    place,
    `The connection '${name}' names no data agent. Set its custom keys 'workspace-id' and 'artifact-id', or its target to the published address, https://api.fabric.microsoft.com/v1/workspaces/WORKSPACE/dataagents/AGENT/aiassistant/openai.`,
  );
}
