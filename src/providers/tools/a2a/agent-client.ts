import type { AgentCard, Message, Part, Task } from '@a2a-js/sdk';
import type { Client } from '@a2a-js/sdk/client';
import { ApiError } from '../../../errors.ts';
import { type Redactions, redactedFailure } from '../redactions.ts';
import { toolFailure } from '../tool-failure.ts';

export interface AgentAddress {
  cardUrl: string;
  fetchCard: typeof fetch;
  /** Carries the credentials; told the header that the card wants a key in, where it wants one. */
  fetchAgent(keyHeader: string | null): typeof fetch;
  /** Takes the credentials out of what the agent says. */
  redact: Redactions;
  /** Whether agents of the protocol's version 0.3 are spoken to in their own way. */
  legacy: boolean;
}

/** A remote agent, as its card describes it. */
export interface RemoteAgent {
  name: string;
  description: string;
  /** Sends a message and waits for the end of the task that comes of it; returns the agent's words. */
  ask(message: string, signal: AbortSignal): Promise<string>;
}

const pollMilliseconds = 1000;
const cancelMilliseconds = 5000;

/** Meets the agent at an address. Throws what the SDK says of a card that can't be had or understood. */
export async function meetAgent({
  cardUrl,
  fetchCard,
  fetchAgent,
  redact,
  legacy,
}: AgentAddress): Promise<RemoteAgent> {
  const { DefaultAgentCardResolver } = await import('@a2a-js/sdk/client');
  const legacyCompat = { enabled: legacy };
  const card = await new DefaultAgentCardResolver({ fetchImpl: fetchCard, legacyCompat }).resolve(
    cardUrl,
    '',
  );
  return agentOf(card, { fetchImpl: fetchAgent(keyHeaderOf(card)), redact, legacy });
}

/** An agent that is known to speak JSON-RPC at an address, without a card that says so. */
export const agentAt = (url: string, fetchImpl: typeof fetch, redact: Redactions): Promise<RemoteAgent> =>
  agentOf(
    {
      name: '',
      description: '',
      supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', tenant: '', protocolVersion: '1.0' }],
      provider: undefined,
      version: '',
      capabilities: { streaming: false, extensions: [] },
      securitySchemes: {},
      securityRequirements: [],
      defaultInputModes: [],
      defaultOutputModes: [],
      skills: [],
      signatures: [],
    },
    { fetchImpl, redact, legacy: false },
  );

interface Spoken extends Pick<AgentAddress, 'redact' | 'legacy'> {
  fetchImpl: typeof fetch;
}

async function agentOf(card: AgentCard, { fetchImpl, redact, legacy }: Spoken): Promise<RemoteAgent> {
  const { ClientFactory, JsonRpcTransportFactory, RestTransportFactory } = await import('@a2a-js/sdk/client');
  const legacyCompat = { enabled: legacy };
  const client = await new ClientFactory({
    transports: [
      new JsonRpcTransportFactory({ fetchImpl, legacyCompat }),
      new RestTransportFactory({ fetchImpl, legacyCompat }),
    ],
  }).createFromAgentCard(card);
  const skills = (card.skills ?? []).map(({ name, description }) => `${name}: ${description}`).join('\n');
  return {
    name: redact.answers(card.name ?? ''),
    description: redact.answers([card.description, skills].filter((text) => text).join('\n')),
    ask: conversation(client, redact),
  };
}

/** Cards come as they were sent, or in the SDK's own form. */
function keyHeaderOf({ securitySchemes }: AgentCard): string | null {
  for (const given of Object.values(securitySchemes ?? {})) {
    const sent = given as { apiKeySecurityScheme?: { location?: string; name?: string } };
    const { scheme } = given;
    const key = scheme?.$case === 'apiKeySecurityScheme' ? scheme.value : sent.apiKeySecurityScheme;
    if (key?.location === 'header' && key.name) return key.name;
  }
  return null;
}

/** Further messages go on where the agent has asked for more. */
function conversation(client: Client, redact: Redactions): RemoteAgent['ask'] {
  let contextId = '';
  let openTask = '';
  return async (message, signal) => {
    try {
      const answer = await send(client, message, { contextId, taskId: openTask }, signal);
      contextId = answer.contextId;
      if (!isTask(answer)) {
        openTask = '';
        return redact.answers(textOf(answer.parts));
      }
      const task = await ended(client, answer, signal);
      openTask = needsMore(task) ? task.id : '';
      return redact.answers(outcome(task));
    } catch (error) {
      if (signal.aborted) throw error;
      const failure =
        error instanceof ApiError
          ? error
          : toolFailure(`The agent could not be asked: ${(error as Error).message}`);
      throw redactedFailure(failure, redact);
    }
  };
}

function send(
  client: Client,
  message: string,
  { contextId, taskId }: { contextId: string; taskId: string },
  signal: AbortSignal,
): Promise<Message | Task> {
  return client.sendMessage(
    {
      tenant: '',
      message: {
        messageId: crypto.randomUUID(),
        contextId,
        taskId,
        role: roles.user,
        parts: [
          {
            content: { $case: 'text', value: message },
            metadata: undefined,
            filename: '',
            mediaType: 'text/plain',
          },
        ],
        metadata: undefined,
        extensions: [],
        referenceTaskIds: [],
      },
      configuration: {
        acceptedOutputModes: ['text/plain', 'application/json'],
        taskPushNotificationConfig: undefined,
        returnImmediately: false,
      },
      metadata: undefined,
    },
    { signal },
  );
}

/** Members of the SDK's enumerations; imported, they would load it at the start of the server. */
const roles = { user: 1 } as const;
const states = {
  completed: 3,
  failed: 4,
  canceled: 5,
  inputRequired: 6,
  rejected: 7,
  authRequired: 8,
} as const;
const settled = new Set<number>(Object.values(states));

const stateOf = ({ status }: Task): number => status?.state ?? 0;
const needsMore = (task: Task): boolean => stateOf(task) === states.inputRequired;
const isTask = (answer: Message | Task): answer is Task => 'artifacts' in answer || 'status' in answer;

/** Most agents answer when they are done; those that answer at once are asked until they are. */
async function ended(client: Client, first: Task, signal: AbortSignal): Promise<Task> {
  const { setTimeout: sleep } = await import('node:timers/promises');
  let task = first;
  try {
    while (!settled.has(stateOf(task))) {
      await sleep(pollMilliseconds, undefined, { signal });
      task = await client.getTask({ tenant: '', id: first.id }, { signal });
    }
  } catch (error) {
    if (signal.aborted) cancel(client, first.id);
    throw error;
  }
  return task;
}

/** Nobody waits for it any more; whether the agent minds is its own affair. */
function cancel(client: Client, id: string): void {
  client
    .cancelTask({ tenant: '', id, metadata: undefined }, { signal: AbortSignal.timeout(cancelMilliseconds) })
    .catch(() => {});
}

function outcome(task: Task): string {
  const said = textOf(task.status?.message?.parts ?? []);
  const state = stateOf(task);
  if (state === states.failed || state === states.rejected || state === states.canceled) {
    const word = state === states.failed ? 'failed' : state === states.rejected ? 'refused' : 'canceled';
    throw toolFailure(`The agent has ${word} the task.${said === '' ? '' : ` ${said}`}`);
  }
  if (state === states.authRequired) throw toolFailure(`The agent asks for a sign-in. ${said}`.trim());
  const artifacts = (task.artifacts ?? []).map(({ parts }) => textOf(parts)).filter((text) => text !== '');
  if (artifacts.length > 0) return artifacts.join('\n\n');
  if (said !== '') return said;
  const last = (task.history ?? []).findLast(({ role }) => role !== roles.user);
  return last === undefined ? '' : textOf(last.parts);
}

const textOf = (parts: Part[]): string =>
  (parts ?? [])
    .map(({ content }) => {
      if (content?.$case === 'text') return content.value;
      return content?.$case === 'data' ? JSON.stringify(content.value) : '';
    })
    .filter((text) => text !== '')
    .join('\n');
