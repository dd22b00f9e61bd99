import type { ModelEvent, ModelMessage, ModelRequest, ModelTool } from '../../model.ts';
import { collect, modelRequest } from '../../testing/fake-upstream.ts';
import { createBuiltinModel, type Scenario } from '../index.ts';

export const user = (text: string): ModelMessage => ({ role: 'user', content: [{ type: 'text', text }] });

export const system = (content: string): ModelMessage => ({ role: 'system', content });

/** A call of a tool and what it returned. */
export function answered(name: string, output: string, callId = 'call_1'): ModelMessage[] {
  return [
    { role: 'assistant', content: [{ type: 'tool_call', callId, name, arguments: '{}' }] },
    { role: 'tool', callId, name, output },
  ];
}

export function tool(
  name: string,
  description: string,
  properties: Record<string, unknown>,
  required: string[] = Object.keys(properties),
): ModelTool {
  return { name, description, strict: null, parameters: { type: 'object', properties, required } };
}

export interface Outcome {
  text: string;
  reasoning: string;
  refusal: string;
  calls: { id: string; name: string; arguments: string }[];
  finish: Extract<ModelEvent, { type: 'finish' }>;
  events: ModelEvent[];
}

/** What the builtin model makes of a request. */
export async function ask(
  input: string | ModelMessage[],
  rest: Partial<ModelRequest> = {},
  scenarios: Scenario[] = [],
): Promise<Outcome> {
  const messages = typeof input === 'string' ? [user(input)] : input;
  const events = await collect(createBuiltinModel({ scenarios }), modelRequest({ messages, ...rest }));
  const joined = (type: 'text' | 'reasoning' | 'refusal'): string =>
    events.map((event) => (event.type === type ? event.delta : '')).join('');
  const calls: Outcome['calls'] = [];
  for (const event of events) {
    if (event.type === 'tool_call') calls.push({ id: event.callId, name: event.name, arguments: '' });
    const last = calls.at(-1);
    if (event.type === 'tool_arguments' && last !== undefined) last.arguments += event.delta;
  }
  const finish = events.at(-1);
  if (finish?.type !== 'finish') throw new Error('the model did not finish');
  return {
    text: joined('text'),
    reasoning: joined('reasoning'),
    refusal: joined('refusal'),
    calls,
    finish,
    events,
  };
}

/** The calls as `name{json}`. */
export const told = ({ calls }: Outcome): string[] => calls.map((call) => `${call.name} ${call.arguments}`);
