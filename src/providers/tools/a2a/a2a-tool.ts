import Type, { type Static } from 'typebox';
import { ApiError, invalidPayload, missingParameter } from '../../../errors.ts';
import { Maybe } from '../../../kit/schema.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import type { ToolConnections } from '../connections.ts';
import { credentialHeaders } from '../credential-headers.ts';
import { replayPair } from '../replay-pair.ts';
import { givenText, textFunction } from '../text-function.ts';
import type { OpenTool, ServerTool, ToolContext } from '../tool.ts';
import { type AgentAddress, meetAgent, type RemoteAgent } from './agent-client.ts';
import { limitedFetch } from './limited-fetch.ts';

const A2aDefinition = Type.Object({
  type: Type.String(),
  base_url: Maybe(Type.String({ maxLength: 2048 })),
  agent_card_path: Maybe(Type.String({ maxLength: 2048 })),
  project_connection_id: Maybe(Type.String({ minLength: 1, maxLength: 1024 })),
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
  const connection = id ? await connections.get(project, id, place) : null;
  const base = base_url || connection?.target || '';
  if (base === '') {
    throw missingParameter(
      `${target}.base_url`,
      `'${target}' needs a 'base_url', or a connection that has the address of the agent.`,
    );
  }
  await outbound.check(base, base_url ? `${target}.base_url` : place);
  const cardUrl = `${base.replace(/\/+$/, '')}/${(agent_card_path || cardPath).replace(/^\/+/, '')}`;
  const { origin } = new URL(base);
  const authorised = (keyHeader: string | null): typeof fetch => {
    const headers = connection === null ? [] : credentialHeaders(connection, keyHeader, place);
    return limitedFetch(outbound, { origin, headers, mostBytes: mostAgentBytes });
  };
  const anonymous = limitedFetch(outbound, { origin, headers: [], mostBytes: mostAgentBytes });
  const agent = await meet(
    {
      cardUrl,
      fetchCard: send_credentials_for_agent_card ? authorised(null) : anonymous,
      fetchAgent: authorised,
      legacy: definition.type === 'a2a_preview',
    },
    base_url ? `${target}.base_url` : place,
  );
  return agentTool(functionName(connection?.name ?? agent.name), agent);
}

/** An agent as a tool: one function, by this name, that takes a message. */
export function agentTool(name: string, agent: RemoteAgent): OpenTool {
  return {
    functions: [
      textFunction(
        {
          name,
          qualifiedName: `a2a_${name}`,
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
    throw invalidPayload(target, `The agent card at ${address.cardUrl} could not be had: ${reason}.`);
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code === 'string' ? `${message} (${code})` : message;
}

export const functionName = (name: string): string =>
  name
    .replace(/[^A-Za-z0-9_-]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .slice(0, 56) || 'agent';
