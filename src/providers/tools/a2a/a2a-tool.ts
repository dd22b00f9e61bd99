import Type, { type Static } from 'typebox';
import { ApiError, invalidPayload, missingParameter } from '../../../errors.ts';
import { Maybe } from '../../../kit/schema.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import { checkOrigin } from '../connection-origin.ts';
import type { ToolConnections } from '../connections.ts';
import { credentialHeaders } from '../credential-headers.ts';
import { functionName } from '../function-name.ts';
import { ConnectionId } from '../named-connection.ts';
import { redactions } from '../redactions.ts';
import { replayPair } from '../replay-pair.ts';
import { requiredConnection } from '../required-connection.ts';
import { givenText, textFunction } from '../text-function.ts';
import type { OpenTool, ServerTool, ToolContext } from '../tool.ts';
import { type AgentAddress, meetAgent, type RemoteAgent } from './agent-client.ts';
import { limitedFetch } from './limited-fetch.ts';

const A2aDefinition = Type.Object({
  type: Type.String(),
  base_url: Maybe(Type.String({ maxLength: 2048 })),
  agent_card_path: Maybe(Type.String({ maxLength: 2048 })),
  project_connection_id: Maybe(ConnectionId),
  send_credentials_for_agent_card: Maybe(Type.Boolean()),
  a2a_version: Maybe(Type.Literal('1.0')),
});
type A2aDefinition = Static<typeof A2aDefinition>;

export interface A2aParts {
  outbound: Outbound;
  connections: ToolConnections;
}

export const a2aTypes = ['a2a', 'a2a_preview'] as const;

const cardPath = '/.well-known/agent-card.json';
const cardMilliseconds = 10_000;
export const mostAgentBytes = 4_194_304;

/** What the tools that ask other agents have in common. */
export const agentToolBase = {
  itemType: 'a2a_preview_call',
  outputItemType: 'a2a_preview_call_output',
  idempotent: false,
  timeoutSeconds: 300,
  replay: replayPair,
} as const;

/** `a2a` and `a2a_preview`: another agent is a function that takes a message. */
export function a2aTools(parts: A2aParts): ServerTool[] {
  return a2aTypes.map((type) => ({
    ...agentToolBase,
    type,
    definition: A2aDefinition,
    open: (definition, context) => open(parts, definition as A2aDefinition, context),
  }));
}

async function open(
  { outbound, connections }: A2aParts,
  definition: A2aDefinition,
  { project, target }: ToolContext,
): Promise<OpenTool> {
  const {
    project_connection_id: id,
    base_url,
    agent_card_path,
    send_credentials_for_agent_card,
  } = definition;
  if (definition.type === 'a2a' && !definition.a2a_version) throw missingParameter(`${target}.a2a_version`);
  const place = `${target}.project_connection_id`;
  const connection = id ? await requiredConnection(connections, project, id, place) : null;
  const base = base_url || connection?.target || '';
  if (base === '') {
    throw missingParameter(
      `${target}.base_url`,
      `'${target}' needs a 'base_url', or a connection that has the address of the agent.`,
    );
  }
  const whence = base_url ? `${target}.base_url` : place;
  await outbound.check(base, whence);
  if (connection !== null && base_url) checkOrigin(connection, base_url, whence);
  const cardUrl = `${base.replace(/\/+$/, '')}/${(agent_card_path || cardPath).replace(/^\/+/, '')}`;
  const { origin } = new URL(base);
  const proof = (keyHeader: string | null): Record<string, string> =>
    connection === null ? {} : credentialHeaders(connection, keyHeader, place);
  const fetchWith = (headers: Record<string, string>): typeof fetch =>
    limitedFetch(outbound, { origin, headers, mostBytes: mostAgentBytes });
  const agent = await meet(
    {
      cardUrl,
      fetchCard: fetchWith(send_credentials_for_agent_card ? proof(null) : {}),
      fetchAgent: (keyHeader) => fetchWith(proof(keyHeader)),
      redact: redactions(proof(null)),
      legacy: definition.type === 'a2a_preview',
    },
    whence,
  );
  return agentTool(connection?.name ?? agent.name, agent);
}

/** An agent as a tool: one function, named after this, that takes a message. */
export function agentTool(called: string, agent: RemoteAgent): OpenTool {
  const name = functionName(called) || 'agent';
  return {
    functions: [
      textFunction(
        {
          name,
          qualifiedName: functionName(`a2a_${name}`),
          description: `Ask the agent ${agent.name}. ${agent.description}`.trim(),
        },
        'message',
        'What to tell or ask the agent.',
      ),
    ],
    needsApproval: () => false,
    fields: (call) => ({ name, arguments: call.arguments }),
    outputFields: () => ({ name }),
    async *run(call, signal) {
      yield* [];
      const output = await agent.ask(givenText(call, 'message'), signal);
      return { fields: { output }, output };
    },
  };
}

async function meet(address: AgentAddress, target: string): Promise<RemoteAgent> {
  const signal = AbortSignal.timeout(cardMilliseconds);
  const fetchCard: typeof fetch = (input, init) => address.fetchCard(input, { ...init, signal });
  try {
    return await meetAgent({ ...address, fetchCard });
  } catch (error) {
    if (error instanceof ApiError) throw error;
    const reason = signal.aborted ? `it did not come within ${cardMilliseconds / 1000} s` : reasonOf(error);
    const told = address.redact.errors(reason);
    throw invalidPayload(target, `The agent card at ${address.cardUrl} could not be had: ${told}.`);
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? `${message} (${code})` : message;
}
