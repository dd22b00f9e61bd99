/** The cases of the Open Responses compliance suite, against a live server and without any client library. */
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { pdfLines, pdfOfPages } from '../../../src/providers/documents/testing/sample-documents.ts';
import { deployment } from './clients.ts';

const nullable = (type: string) => ({ type: [type, 'null'] });
const text = { type: 'string' };
const integer = { type: 'integer' };

/** Every field is required, as in that suite; further ones are free. */
const responseResource = {
  type: 'object',
  required: [
    ...[
      'id',
      'object',
      'created_at',
      'completed_at',
      'status',
      'incomplete_details',
      'model',
      'output',
      'error',
    ],
    ...[
      'previous_response_id',
      'instructions',
      'tools',
      'tool_choice',
      'truncation',
      'parallel_tool_calls',
      'text',
    ],
    ...[
      'top_p',
      'presence_penalty',
      'frequency_penalty',
      'top_logprobs',
      'temperature',
      'reasoning',
      'usage',
    ],
    ...['max_output_tokens', 'max_tool_calls', 'store', 'background', 'service_tier', 'metadata'],
    ...['safety_identifier', 'prompt_cache_key'],
  ],
  properties: {
    id: text,
    object: { const: 'response' },
    created_at: integer,
    completed_at: nullable('integer'),
    status: { enum: ['queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled'] },
    model: text,
    previous_response_id: nullable('string'),
    instructions: nullable('string'),
    truncation: { enum: ['auto', 'disabled'] },
    parallel_tool_calls: { type: 'boolean' },
    text: {
      type: 'object',
      required: ['format'],
      properties: { format: { type: 'object', required: ['type'] } },
    },
    top_p: { type: 'number' },
    temperature: { type: 'number' },
    presence_penalty: { type: 'number' },
    frequency_penalty: { type: 'number' },
    top_logprobs: integer,
    reasoning: { type: ['object', 'null'], required: ['effort', 'summary'] },
    usage: {
      type: ['object', 'null'],
      required: [
        'input_tokens',
        'output_tokens',
        'total_tokens',
        'input_tokens_details',
        'output_tokens_details',
      ],
    },
    max_output_tokens: nullable('integer'),
    max_tool_calls: nullable('integer'),
    store: { type: 'boolean' },
    background: { type: 'boolean' },
    service_tier: text,
    metadata: { type: 'object' },
    safety_identifier: nullable('string'),
    prompt_cache_key: nullable('string'),
    tools: {
      type: 'array',
      items: { type: 'object', required: ['type', 'name', 'description', 'parameters', 'strict'] },
    },
    output: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'id'],
        oneOf: [
          {
            required: ['role', 'status', 'content'],
            properties: {
              type: { const: 'message' },
              content: {
                type: 'array',
                items: {
                  required: ['type', 'text', 'annotations', 'logprobs'],
                  properties: { annotations: { type: 'array' }, logprobs: { type: 'array' } },
                },
              },
            },
          },
          {
            required: ['call_id', 'name', 'arguments', 'status'],
            properties: { type: { const: 'function_call' }, arguments: text },
          },
          { required: ['summary'], properties: { type: { const: 'reasoning' } } },
        ],
      },
    },
  },
};
const isResponse = new Ajv({ strict: false, allErrors: true }).compile(responseResource);

const knownEvents = new Set(
  [
    ...['created', 'queued', 'in_progress', 'completed', 'failed', 'incomplete'],
    ...['output_item.added', 'output_item.done', 'content_part.added', 'content_part.done'],
    ...['output_text.delta', 'output_text.done', 'refusal.delta', 'refusal.done'],
    ...['function_call_arguments.delta', 'function_call_arguments.done'],
    ...[
      'reasoning_summary_part.added',
      'reasoning_summary_part.done',
      'reasoning_text.delta',
      'reasoning_text.done',
    ],
    ...['reasoning_summary_text.delta', 'reasoning_summary_text.done', 'output_text.annotation.added'],
  ].map((name) => `response.${name}`),
);

interface Result {
  id: string;
  status: string;
  output: { type: string; call_id?: string }[];
}
interface StreamEvent {
  type: string;
  sequence_number: number;
  item?: { type: string };
  response?: Result;
}

async function send(body: object, stream: boolean): Promise<Response> {
  const response = await fetch(`${process.env.OPENAI_BASE_URL}/responses`, {
    method: 'POST',
    headers: { authorization: `Bearer ${process.env.OPENAI_API_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: deployment, stream, ...body }),
  });
  expect(response.status).toBe(200);
  return response;
}

async function create(body: object): Promise<Result> {
  const result = (await (await send(body, false)).json()) as Result;
  isResponse(result);
  expect(isResponse.errors ?? []).toEqual([]);
  return result;
}

/** Reads like that suite's parser: an event counts only when it came whole within one chunk of the network. */
async function stream(body: object): Promise<StreamEvent[]> {
  const response = await send(body, true);
  const events: StreamEvent[] = [];
  for await (const chunk of response.body ?? []) {
    const frames = new TextDecoder().decode(chunk).split('\n\n');
    expect(frames.pop()).toBe('');
    for (const frame of frames) {
      const data = /^data: (.*)$/m.exec(frame)?.[1];
      if (data !== undefined && data !== '[DONE]') events.push(JSON.parse(data));
    }
  }
  for (const { type } of events) expect(knownEvents).toContain(type);
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, i) => i));
  isResponse(events.at(-1)?.response);
  expect(isResponse.errors ?? []).toEqual([]);
  return events;
}

const user = (content: string | object[]) => ({ type: 'message', role: 'user', content });
const weather = {
  type: 'function',
  name: 'get_weather',
  description: 'Get the current weather for a location',
  parameters: {
    type: 'object',
    properties: { location: { type: 'string', description: 'The city and state, e.g. San Francisco, CA' } },
    required: ['location'],
  },
};
const pixel =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const pdf = `data:application/pdf;base64,${Buffer.from(pdfOfPages([pdfLines('Hello')])).toString('base64')}`;

const completes = async (body: object): Promise<Result> => {
  const result = await create(body);
  expect(result.status).toBe('completed');
  expect(result.output.length).toBeGreaterThan(0);
  return result;
};

describe('Open Responses', () => {
  test.concurrent('basic-response', () => completes({ input: [user('Say hello in exactly 3 words.')] }));

  test.concurrent('streaming-response', async () => {
    const events = await stream({ input: [user('Count from 1 to 5.')] });
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: { status: 'completed' } });
  });

  test.concurrent('system-prompt', () =>
    completes({
      input: [
        { type: 'message', role: 'system', content: 'You are a pirate. Always respond in pirate speak.' },
        user('Say hello.'),
      ],
    }));

  const question = { input: [user("What's the weather like in San Francisco?")], tools: [weather] };

  test.concurrent('tool-calling', async () => {
    const { output } = await create(question);
    expect(output.map(({ type }) => type)).toContain('function_call');
  });

  test.concurrent('tool-calling-streaming', async () => {
    const events = await stream(question);
    const ofCalls = events.filter(({ item }) => item?.type === 'function_call').map(({ type }) => type);
    expect(ofCalls).toEqual(['response.output_item.added', 'response.output_item.done']);
    const types = new Set(events.map(({ type }) => type));
    expect(types).toContain('response.function_call_arguments.delta');
    expect(types).toContain('response.function_call_arguments.done');
  });

  test.concurrent('function-call-roundtrip', async () => {
    const first = await create({ ...question, tool_choice: { type: 'function', name: 'get_weather' } });
    const call = first.output.find(({ type }) => type === 'function_call');
    expect(call?.call_id).toBeTruthy();
    await completes({
      previous_response_id: first.id,
      input: [{ type: 'function_call_output', call_id: call?.call_id, output: '{"temperature": 18}' }],
    });
  });

  test.concurrent('image-input', () =>
    completes({
      input: [
        user([
          { type: 'input_text', text: 'What do you see in this image? Answer in one sentence.' },
          { type: 'input_image', image_url: pixel },
        ]),
      ],
    }));

  test.concurrent('file-input', () =>
    completes({
      input: [
        user([
          { type: 'input_text', text: 'What is in this file?' },
          { type: 'input_file', filename: 'sample.pdf', file_data: pdf },
        ]),
      ],
    }));

  test.concurrent('multi-turn', () =>
    completes({
      input: [
        user('My name is Alice.'),
        { type: 'message', role: 'assistant', content: 'Hello Alice! Nice to meet you.' },
        user('What is my name?'),
      ],
    }));

  test.concurrent('previous-response-id', async () => {
    const first = await completes({ input: 'My favourite colour is green.' });
    await completes({ input: 'What is my favourite colour?', previous_response_id: first.id });
  });
});
