import type { Client, Json, StreamEvent } from './client.ts';
import { Cut, Refused } from './client.ts';
import {
  continues,
  type Fact,
  hasEnded,
  isGone,
  isTerminal,
  isUnderWay,
  type KnownConversation,
  reads,
  replays,
  responsePath,
} from './known.ts';
import type { SeededRandom } from './seeded-random.ts';

/** One client at work, with a conversation that is its own. */
export interface Actor {
  client: Client;
  random: SeededRandom;
  conversation: KnownConversation;
  /** Told of a conversation that takes the place of the one so far. */
  moveTo(conversation: KnownConversation): void;
  learn(fact: Fact): void;
  /** A text that nobody else sends. */
  text(about: string): string;
}

export interface Workload {
  name: string;
  /** How often it is chosen, relative to the others. */
  weight: number;
  /** Adds to what is known as soon as the server has said it. Ends in `Cut` when the server dies. */
  run(actor: Actor): Promise<void>;
}

/** The tool that the tool loop runs on the server; whatever starts the server has to bring it. */
export const serverTool = { type: 'fault_harness_clock', functions: ['look_at_clock'] };

const responses = '/openai/v1/responses';
const conversationPath = ({ id }: KnownConversation): string => `/openai/v1/conversations/${id}`;

export const weigh = {
  type: 'function',
  name: 'weigh',
  description: 'Weighs a parcel.',
  parameters: {
    type: 'object',
    properties: { parcel: { type: 'string' }, unit: { type: 'string' }, note: { type: 'string' } },
    required: ['parcel'],
  },
};

export const message = (role: 'user' | 'assistant', text: string): Json => ({
  type: 'message',
  role,
  content: [{ type: role === 'user' ? 'input_text' : 'output_text', text }],
});

/** Calls at the end of a conversation that nobody has answered. */
export function pendingCalls(items: Json[]): Json[] {
  const answered = new Set(
    items.filter(({ type }) => type === 'function_call_output').map(({ call_id }) => call_id),
  );
  return items.filter(
    ({ type, status, call_id }) =>
      type === 'function_call' && status !== 'incomplete' && !answered.has(call_id),
  );
}

/** A turn: the next thing a client says, or the outputs of the calls that wait for them. Returns the response. */
export async function takeTurn(
  actor: Actor,
  given: { text: string; tools?: Json[]; stream: boolean },
): Promise<Json> {
  const { client, conversation } = actor;
  const outputs = pendingCalls(conversation.items).map(({ call_id }) => ({
    type: 'function_call_output',
    call_id,
    output: actor.text('It weighs so much:'),
  }));
  const input = outputs.length > 0 ? outputs : [message('user', given.text)];
  const tools = given.tools ?? (outputs.length > 0 ? [weigh] : []);
  const body = { model: 'builtin', conversation: conversation.id, input, tools };
  conversation.openWrite = { input, answered: true, accepted: false };
  const acknowledge = (response: Json) => {
    conversation.items.push(...input, ...(response.output as Json[]));
    conversation.openWrite = null;
  };
  if (given.stream) return stream(actor, body, acknowledge);
  return acceptIfBegun(conversation, async () => {
    const response = await client.ask('POST', responses, body);
    acknowledge(response);
    actor.learn(reads(responsePath(response.id), response));
    return response;
  });
}

/** Sends a request of which a 2xx head without a body counts as much as the whole answer. */
async function acceptIfBegun<T>(conversation: KnownConversation, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (error instanceof Cut && error.status !== 0 && conversation.openWrite !== null) {
      conversation.openWrite.accepted = true;
    }
    throw error;
  }
}

/** Streams a response to its end; `onEnd` hears of it with the last event. Returns the response. */
async function stream(actor: Actor, body: Json, onEnd: (response: Json) => void): Promise<Json> {
  const seen: StreamEvent[] = [];
  let id: unknown;
  let ended: Json | null = null;
  try {
    for await (const event of actor.client.stream('POST', responses, { ...body, stream: true })) {
      seen.push(event);
      if (event.type !== 'response.created' && !isTerminal(event)) continue;
      const { response } = JSON.parse(event.data) as { response: Json };
      id = response.id;
      if (!isTerminal(event)) continue;
      if (event.type !== 'response.completed') throw new Error(`A stream ended in ${event.data}`);
      ended = response;
      onEnd(response);
      actor.learn(reads(responsePath(id), response));
      actor.learn(replays(id, seen));
    }
  } catch (error) {
    if (error instanceof Cut && ended === null && id !== undefined) {
      actor.learn(hasEnded(id));
      if (body.background === true) actor.learn(continues(id, seen));
    }
    throw error;
  }
  if (ended === null) throw new Error('A stream ended without a terminal event.');
  return ended;
}

const turn: Workload = {
  name: 'turn',
  weight: 3,
  async run(actor) {
    await takeTurn(actor, { text: actor.text('How is the weather?'), stream: false });
  },
};

const streamedTurn: Workload = {
  name: 'streamed turn',
  weight: 4,
  async run(actor) {
    await takeTurn(actor, { text: actor.text('Tell me a story.'), stream: true });
  },
};

const functionCalls: Workload = {
  name: 'function calls',
  weight: 4,
  async run(actor) {
    const what = actor.random.pick(['Please weigh both parcels.', 'Please weigh the parcel.']);
    const stream = actor.random.oneIn(2);
    if (pendingCalls(actor.conversation.items).length === 0) {
      await takeTurn(actor, { text: actor.text(what), tools: [weigh], stream });
    }
    // A client that takes its time may die with the server, and find its calls open afterwards.
    if (actor.random.oneIn(4)) return;
    await takeTurn(actor, { text: '', stream: actor.random.oneIn(2) });
  },
};

const items: Workload = {
  name: 'items',
  weight: 2,
  async run(actor) {
    const { client, conversation, random } = actor;
    if (pendingCalls(conversation.items).length > 0) return;
    const call_id = `call_${random.below(2 ** 31)}`;
    const input = random.pick([
      [message('user', actor.text('One.')), message('assistant', 'Two.'), message('user', 'Three.')],
      [
        { type: 'function_call', call_id, name: 'weigh', arguments: '{"parcel":"left"}' },
        { type: 'function_call_output', call_id, output: actor.text('So much:') },
      ],
    ]);
    conversation.openWrite = { input, answered: false, accepted: false };
    await acceptIfBegun(conversation, async () => {
      const { data } = await client.ask('POST', `${conversationPath(conversation)}/items`, { items: input });
      conversation.items.push(...(data as Json[]));
      conversation.openWrite = null;
    });
  },
};

const metadata: Workload = {
  name: 'metadata',
  weight: 2,
  async run({ client, conversation, text }) {
    const metadata = { note: text('metadata') };
    conversation.openMetadata = metadata;
    const answer = await client.ask('POST', conversationPath(conversation), { metadata });
    conversation.metadata = answer.metadata as Json;
    conversation.openMetadata = null;
  },
};

export const newConversation: Workload = {
  name: 'new conversation',
  weight: 1,
  async run({ client, text, moveTo }) {
    const metadata = { note: text('metadata') };
    const items = [message('user', text('This is how it begins.')), message('assistant', 'It does.')];
    const { id } = await client.ask('POST', '/openai/v1/conversations', { metadata, items });
    moveTo({ id: String(id), items, metadata, openWrite: null, openMetadata: null });
  },
};

const agentVersion: Workload = {
  name: 'agent version',
  weight: 2,
  async run({ client, random, text, learn }) {
    const path = `/agents/agent-${random.below(3)}/versions`;
    const definition = { kind: 'prompt', model: 'builtin', instructions: text('Be brief.') };
    const version = await client.ask('POST', `${path}?api-version=v1`, { definition });
    learn(reads(`${path}/${version.version}?api-version=v1`, version));
  },
};

const chain: Workload = {
  name: 'chain',
  weight: 2,
  async run(actor) {
    const { client, learn, text } = actor;
    const first = await client.ask('POST', responses, { model: 'builtin', input: text('A story.') });
    learn(reads(responsePath(first.id), first));
    const body = { model: 'builtin', previous_response_id: first.id, input: text('Another story.') };
    learn({
      what: `continuing ${first.id}`,
      async check(client) {
        await client.ask('POST', responses, { ...body, store: false });
      },
    });
    await stream(actor, body, () => {});
  },
};

const deletion: Workload = {
  name: 'deletion',
  weight: 1,
  async run({ client, learn, text }) {
    const { id } = await client.ask('POST', responses, { model: 'builtin', input: text('Hello.') });
    await client.ask('DELETE', responsePath(id));
    learn(isGone(responsePath(id)));
  },
};

/** Accepted at once, run by the server on its own; watched by streaming or by asking again and again. */
async function runInBackground(actor: Actor, text: string, tools: Json[]): Promise<void> {
  const { client, conversation, learn } = actor;
  const input = [message('user', text)];
  const body = { model: 'builtin', conversation: conversation.id, input, tools, background: true };
  conversation.openWrite = { input, answered: true, accepted: false };
  const acknowledge = (response: Json) => {
    conversation.items.push(...input, ...(response.output as Json[]));
    conversation.openWrite = null;
  };
  if (actor.random.oneIn(2)) {
    await stream(actor, body, acknowledge);
    return;
  }
  let response = await client.ask('POST', responses, body);
  learn(hasEnded(response.id));
  while (isUnderWay(response)) response = await client.ask('GET', responsePath(response.id));
  if (response.status !== 'completed') throw new Error(`It ended as ${JSON.stringify(response)}`);
  acknowledge(response);
  learn(reads(responsePath(response.id), response));
}

const background: Workload = {
  name: 'background',
  weight: 4,
  async run(actor) {
    if (pendingCalls(actor.conversation.items).length > 0) return;
    await runInBackground(actor, actor.text('Tell me a story.'), []);
  },
};

const cancelledBackground: Workload = {
  name: 'cancelled background',
  weight: 1,
  async run({ client, learn, text }) {
    const body = { model: 'builtin', input: text('Tell me a story.'), background: true };
    const { id } = await client.ask('POST', responses, body);
    learn(hasEnded(id));
    try {
      const cancelled = await client.ask('POST', `${responsePath(id)}/cancel`, {});
      if (!isUnderWay(cancelled)) learn(reads(responsePath(id), cancelled));
    } catch (error) {
      // It may have been quicker.
      if (!(error instanceof Refused && error.status === 409)) throw error;
    }
  },
};

/** The server runs the calls itself, several model calls in one response. */
const toolLoop: Workload = {
  name: 'tool loop',
  weight: 4,
  async run(actor) {
    if (pendingCalls(actor.conversation.items).length > 0) return;
    const text = actor.text('What time is it?');
    const tools = [serverTool];
    if (actor.random.oneIn(2)) await runInBackground(actor, text, tools);
    else await takeTurn(actor, { text, tools, stream: actor.random.oneIn(2) });
  },
};

const all: Workload[] = [
  turn,
  streamedTurn,
  functionCalls,
  items,
  metadata,
  newConversation,
  agentVersion,
  chain,
  deletion,
  background,
  cancelledBackground,
  toolLoop,
];

/** Each as often as it is to be chosen. */
export const workloads: Workload[] = all.flatMap((workload) =>
  Array.from({ length: workload.weight }, () => workload),
);
