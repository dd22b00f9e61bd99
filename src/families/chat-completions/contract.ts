import Type, { type Static } from 'typebox';
import { CursorPage, cursorQuery } from '../../kit/cursor-page.ts';
import { op } from '../../kit/operation.ts';
import { AnyObject, Maybe, Metadata, OneOf, UnixSeconds } from '../../kit/schema.ts';
import { UnionBy } from '../../kit/union.ts';
import type { ModelUsage } from '../../providers/models/model.ts';
import { Message } from './messages.ts';
import { Tool, ToolChoice } from './tools.ts';

const ResponseFormat = UnionBy('type', {
  text: Type.Object({ type: Type.Literal('text') }),
  json_object: Type.Object({ type: Type.Literal('json_object') }),
  json_schema: Type.Object({
    type: Type.Literal('json_schema'),
    json_schema: Type.Object({
      name: Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$' }),
      schema: AnyObject,
      description: Maybe(Type.String()),
      strict: Maybe(Type.Boolean()),
    }),
  }),
});
export type ResponseFormat = Static<typeof ResponseFormat>;

const StopSequence = Type.String({ minLength: 1 });
const Penalty = Type.Number({ minimum: -2, maximum: 2 });
const TokenBound = Type.Integer({ minimum: 1 });

export const CreateChatCompletion = Type.Object(
  {
    model: Type.String({ minLength: 1, description: 'Name of a model deployment.' }),
    messages: Type.Array(Message, { minItems: 1, maxItems: 10_000 }),
    tools: Maybe(Type.Array(Tool, { maxItems: 128 })),
    tool_choice: Maybe(ToolChoice),
    parallel_tool_calls: Maybe(Type.Boolean()),
    response_format: Maybe(ResponseFormat),
    max_completion_tokens: Maybe(TokenBound),
    max_tokens: Maybe(TokenBound),
    temperature: Maybe(Type.Number({ minimum: 0, maximum: 2 })),
    top_p: Maybe(Type.Number({ minimum: 0, maximum: 1 })),
    presence_penalty: Maybe(Penalty),
    frequency_penalty: Maybe(Penalty),
    seed: Maybe(Type.Integer()),
    stop: Maybe(Type.Union([StopSequence, Type.Array(StopSequence, { maxItems: 4 })])),
    reasoning_effort: Maybe(OneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max')),
    verbosity: Maybe(OneOf('low', 'medium', 'high')),
    stream: Maybe(Type.Boolean()),
    stream_options: Maybe(
      Type.Object({ include_usage: Maybe(Type.Boolean()), include_obfuscation: Maybe(Type.Boolean()) }),
    ),
    user: Maybe(Type.String()),
    safety_identifier: Maybe(Type.String({ maxLength: 64 })),
    metadata: Maybe(Metadata),
    prompt_cache_key: Maybe(Type.String()),
    prompt_cache_retention: Maybe(Type.String()),
    prompt_cache_options: Maybe(AnyObject),
    user_security_context: Maybe(AnyObject),
    n: Maybe(Type.Integer({ minimum: 1, maximum: 128 })),
    store: Maybe(Type.Boolean()),
    service_tier: Maybe(Type.String()),
    logit_bias: Maybe(AnyObject),
    logprobs: Maybe(Type.Boolean()),
    top_logprobs: Maybe(Type.Integer({ minimum: 0, maximum: 20 })),
    modalities: Maybe(Type.Array(Type.String())),
    audio: Maybe(AnyObject),
    prediction: Maybe(AnyObject),
    web_search_options: Maybe(AnyObject),
    moderation: Maybe(AnyObject),
    functions: Maybe(Type.Array(AnyObject)),
    function_call: Maybe(Type.Union([Type.String(), AnyObject])),
  },
  { title: 'CreateChatCompletion' },
);
export type CreateChatCompletion = Static<typeof CreateChatCompletion>;

export const Usage = Type.Object({
  prompt_tokens: Type.Integer(),
  completion_tokens: Type.Integer(),
  total_tokens: Type.Integer(),
  prompt_tokens_details: Type.Object({ cached_tokens: Type.Integer(), audio_tokens: Type.Integer() }),
  completion_tokens_details: Type.Object({
    reasoning_tokens: Type.Integer(),
    audio_tokens: Type.Integer(),
    accepted_prediction_tokens: Type.Integer(),
    rejected_prediction_tokens: Type.Integer(),
  }),
});
export type Usage = Static<typeof Usage>;

export const usageObject = (usage: ModelUsage): Usage => ({
  prompt_tokens: usage.inputTokens,
  completion_tokens: usage.outputTokens,
  total_tokens: usage.inputTokens + usage.outputTokens,
  prompt_tokens_details: { cached_tokens: usage.cachedInputTokens, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: usage.reasoningTokens,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
});

const ToolCall = UnionBy('type', {
  function: Type.Object({
    id: Type.String(),
    type: Type.Literal('function'),
    function: Type.Object({ name: Type.String(), arguments: Type.String() }),
  }),
  custom: Type.Object({
    id: Type.String(),
    type: Type.Literal('custom'),
    custom: Type.Object({ name: Type.String(), input: Type.String() }),
  }),
});
export type ToolCall = Static<typeof ToolCall>;

const ChatMessage = Type.Object({
  role: Type.Literal('assistant'),
  content: Type.Union([Type.String(), Type.Null()]),
  refusal: Type.Union([Type.String(), Type.Null()]),
  annotations: Type.Array(AnyObject),
  tool_calls: Type.Optional(Type.Array(ToolCall)),
});

export const ChatCompletion = Type.Object({
  id: Type.String(),
  object: Type.Literal('chat.completion'),
  created: UnixSeconds,
  model: Type.String({ description: 'Name of the deployment.' }),
  choices: Type.Array(
    Type.Object({
      index: Type.Integer(),
      message: ChatMessage,
      finish_reason: OneOf('stop', 'length', 'tool_calls', 'content_filter'),
      logprobs: Type.Null(),
    }),
  ),
  usage: Usage,
  service_tier: Type.Optional(Type.String()),
  metadata: Type.Optional(Metadata),
});
export type ChatCompletion = Static<typeof ChatCompletion>;

/** A message of a stored completion's request; what else it was sent with is kept. */
export const StoredMessage = Type.Object({
  id: Type.String(),
  role: Type.String(),
  content: Type.Union([Type.String(), Type.Null()]),
  refusal: Type.Union([Type.String(), Type.Null()]),
  name: Type.Union([Type.String(), Type.Null()]),
  content_parts: Type.Union([Type.Array(AnyObject), Type.Null()], {
    description: 'The content where it was sent in parts; `content` is null then.',
  }),
  tool_calls: Maybe(Type.Array(AnyObject)),
  tool_call_id: Maybe(Type.String()),
});
export type StoredMessage = Static<typeof StoredMessage>;

const byId = Type.Object({ completion_id: Type.String({ minLength: 1 }) });
const shared = { wire: 'openai' } as const;

export const operations = {
  create: op({
    ...shared,
    method: 'POST',
    path: '/chat/completions',
    summary: 'Create a chat completion',
    body: CreateChatCompletion,
    result: ChatCompletion,
    streams: true,
  }),
  list: op({
    ...shared,
    method: 'GET',
    path: '/chat/completions',
    summary: 'List stored chat completions',
    query: Type.Object({
      ...cursorQuery,
      model: Type.Optional(Type.String({ description: 'Name of the deployment.' })),
      metadata: Type.Optional(Metadata),
    }),
    result: CursorPage(ChatCompletion),
  }),
  retrieve: op({
    ...shared,
    method: 'GET',
    path: '/chat/completions/{completion_id}',
    summary: 'Get a stored chat completion',
    params: byId,
    result: ChatCompletion,
  }),
  update: op({
    ...shared,
    method: 'POST',
    path: '/chat/completions/{completion_id}',
    summary: 'Replace the metadata of a stored chat completion',
    params: byId,
    body: Type.Object({ metadata: Type.Union([Metadata, Type.Null()]) }),
    result: ChatCompletion,
  }),
  delete: op({
    ...shared,
    method: 'DELETE',
    path: '/chat/completions/{completion_id}',
    summary: 'Delete a stored chat completion',
    params: byId,
    result: Type.Object({
      object: Type.Literal('chat.completion.deleted'),
      id: Type.String(),
      deleted: Type.Boolean(),
    }),
  }),
  listMessages: op({
    ...shared,
    method: 'GET',
    path: '/chat/completions/{completion_id}/messages',
    summary: "List the messages of a stored chat completion's request",
    params: byId,
    query: Type.Object(cursorQuery),
    result: CursorPage(StoredMessage),
  }),
};
