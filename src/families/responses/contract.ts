import Type, { type Static } from 'typebox';
import { CursorPage, cursorQuery } from '../../kit/cursor-page.ts';
import { op } from '../../kit/operation.ts';
import { AnyObject, Hint, Maybe, Metadata, OneOf, UnixSeconds } from '../../kit/schema.ts';
import { InputItem, StoredItem } from './items.ts';
import { Reasoning, TextOptions, Tool, ToolChoice } from './request-parts.ts';
import type { ResponseTrace } from './trace.ts';

const includable = Hint(
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'message.input_image.image_url',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
);

const AgentReferenceInput = Type.Object({
  type: Type.Optional(OneOf('agent_reference')),
  name: Type.String({ minLength: 1, maxLength: 256 }),
  version: Maybe(Type.Union([Type.String(), Type.Integer()])),
});

/** What decides the prompt; `POST /responses` and `POST /responses/input_tokens` share it. */
const promptFields = {
  model: Maybe(
    Type.String({ minLength: 1, description: 'Name of a model deployment; an agent brings its own.' }),
  ),
  input: Maybe(Type.Union([Type.String(), Type.Array(InputItem, { maxItems: 10_000 })])),
  instructions: Maybe(Type.String()),
  previous_response_id: Maybe(Type.String({ minLength: 1 })),
  conversation: Maybe(
    Type.Union([Type.String({ minLength: 1 }), Type.Object({ id: Type.String({ minLength: 1 }) })]),
  ),
  tools: Maybe(Type.Array(Tool, { maxItems: 128 })),
  tool_choice: Maybe(ToolChoice),
  text: Maybe(TextOptions),
  reasoning: Maybe(Reasoning),
  truncation: Maybe(OneOf('auto', 'disabled')),
  parallel_tool_calls: Maybe(Type.Boolean()),
  agent_reference: Maybe(AgentReferenceInput),
  /** The older name of `agent_reference`; the JavaScript SDK's own samples still send it. */
  agent: Maybe(AgentReferenceInput),
  structured_inputs: Maybe(AnyObject),
};

export const CreateResponse = Type.Object(
  {
    ...promptFields,
    store: Maybe(Type.Boolean()),
    background: Maybe(Type.Boolean()),
    stream: Maybe(Type.Boolean()),
    stream_options: Maybe(Type.Object({ include_obfuscation: Type.Optional(Type.Boolean()) })),
    include: Maybe(Type.Array(includable)),
    max_output_tokens: Maybe(Type.Integer({ minimum: 16 })),
    max_tool_calls: Maybe(Type.Integer({ minimum: 1 })),
    temperature: Maybe(Type.Number({ minimum: 0, maximum: 2 })),
    top_p: Maybe(Type.Number({ minimum: 0, maximum: 1 })),
    top_logprobs: Maybe(Type.Integer({ minimum: 0, maximum: 20 })),
    metadata: Maybe(Metadata),
    service_tier: Maybe(OneOf('auto', 'default', 'flex', 'scale', 'priority', 'fast', 'ultrafast')),
    prompt: Maybe(AnyObject),
    prompt_cache_key: Maybe(Type.String()),
    context_management: Maybe(Type.Array(AnyObject)),
    moderation: Maybe(AnyObject),
    safety_identifier: Maybe(Type.String({ maxLength: 64 })),
    user: Maybe(Type.String()),
    agent_session_id: Maybe(Type.String()),
    routing_config: Type.Optional(Type.Unknown()),
  },
  { title: 'CreateResponse' },
);
export type CreateResponse = Static<typeof CreateResponse>;

const Usage = Type.Object({
  input_tokens: Type.Integer(),
  input_tokens_details: Type.Object({ cached_tokens: Type.Integer(), cache_write_tokens: Type.Integer() }),
  output_tokens: Type.Integer(),
  output_tokens_details: Type.Object({ reasoning_tokens: Type.Integer() }),
  total_tokens: Type.Integer(),
});

const nullable = <T extends Parameters<typeof Maybe>[0]>(schema: T) => Type.Union([schema, Type.Null()]);

export const AgentReference = Type.Object({
  type: Type.Literal('agent_reference'),
  name: Type.String(),
  version: Type.String(),
});

export const ResponseError = Type.Object({ code: Type.String(), message: Type.String() });

export const ResponseObject = Type.Object({
  id: Type.String(),
  object: Type.Literal('response'),
  created_at: UnixSeconds,
  completed_at: nullable(UnixSeconds),
  status: OneOf('queued', 'in_progress', 'completed', 'incomplete', 'failed', 'cancelled'),
  background: Type.Boolean(),
  error: nullable(ResponseError),
  incomplete_details: nullable(Type.Object({ reason: Type.String() })),
  instructions: nullable(Type.String()),
  max_output_tokens: nullable(Type.Integer()),
  max_tool_calls: nullable(Type.Integer()),
  model: Type.String(),
  output: Type.Array(StoredItem),
  parallel_tool_calls: Type.Boolean(),
  previous_response_id: nullable(Type.String()),
  conversation: nullable(Type.Object({ id: Type.String() })),
  reasoning: Type.Object({ effort: nullable(Type.String()), summary: nullable(Type.String()) }),
  store: Type.Boolean(),
  temperature: Type.Number(),
  top_p: Type.Number(),
  presence_penalty: Type.Number(),
  frequency_penalty: Type.Number(),
  top_logprobs: Type.Integer(),
  text: AnyObject,
  tool_choice: ToolChoice,
  tools: Type.Array(AnyObject),
  truncation: OneOf('auto', 'disabled'),
  service_tier: Type.String(),
  usage: nullable(Usage),
  user: nullable(Type.String()),
  safety_identifier: nullable(Type.String()),
  prompt_cache_key: nullable(Type.String()),
  metadata: Metadata,
  agent_reference: nullable(AgentReference),
});
export type ResponseObject = Static<typeof ResponseObject>;

/** See `trace.ts`. */
const ResponseTraceSchema = Type.Unsafe<ResponseTrace>({
  type: 'object',
  required: ['trace_id', 'started_at', 'duration_ms', 'phases'],
  description:
    'Phases follow each other without a gap: their times sum up to the whole. Times in milliseconds.',
});

const byId = Type.Object({ response_id: Type.String({ minLength: 1 }) });
const include = Type.Optional(Type.Array(includable));
const shared = { wire: 'openai', onAgentEndpoint: true } as const;

export const operations = {
  create: op({
    ...shared,
    method: 'POST',
    path: '/responses',
    summary: 'Create a response',
    body: CreateResponse,
    result: ResponseObject,
    streams: true,
  }),
  list: op({
    ...shared,
    method: 'GET',
    path: '/responses',
    summary: 'List responses',
    query: Type.Object({
      ...cursorQuery,
      agent_name: Type.Optional(Type.String()),
      agent_id: Type.Optional(Type.String({ description: '`{name}:{version}`' })),
      conversation_id: Type.Optional(Type.String()),
    }),
    result: CursorPage(ResponseObject),
  }),
  retrieve: op({
    ...shared,
    method: 'GET',
    path: '/responses/{response_id}',
    summary: 'Get a response, or replay its events',
    params: byId,
    query: Type.Object({
      include,
      stream: Type.Optional(Type.Boolean()),
      starting_after: Type.Optional(Type.Integer({ minimum: 0 })),
      include_obfuscation: Type.Optional(Type.Boolean()),
    }),
    result: ResponseObject,
    streams: true,
  }),
  delete: op({
    ...shared,
    method: 'DELETE',
    path: '/responses/{response_id}',
    summary: 'Delete a response',
    params: byId,
    result: Type.Object({ id: Type.String(), object: Type.Literal('response'), deleted: Type.Boolean() }),
  }),
  cancel: op({
    ...shared,
    method: 'POST',
    path: '/responses/{response_id}/cancel',
    summary: 'Cancel a background response',
    params: byId,
    result: ResponseObject,
  }),
  inputItems: op({
    ...shared,
    method: 'GET',
    path: '/responses/{response_id}/input_items',
    summary: 'List the input items of a response',
    params: byId,
    query: Type.Object({ ...cursorQuery, include }),
    result: CursorPage(StoredItem),
  }),
  compact: op({
    ...shared,
    method: 'POST',
    path: '/responses/compact',
    summary: 'Cut a conversation short',
    body: Type.Object({
      model: Type.String({ minLength: 1 }),
      input: promptFields.input,
      previous_response_id: promptFields.previous_response_id,
      instructions: promptFields.instructions,
      prompt_cache_key: Maybe(Type.String({ maxLength: 64 })),
    }),
    result: Type.Object({
      id: Type.String(),
      object: Type.Literal('response.compaction'),
      created_at: UnixSeconds,
      output: Type.Array(StoredItem),
      usage: Usage,
    }),
  }),
  trace: op({
    method: 'GET',
    path: '/responses/{response_id}/trace',
    summary: 'How a response came about; an extension of this server',
    wire: 'foundry',
    params: byId,
    result: ResponseTraceSchema,
  }),
  inputTokens: op({
    ...shared,
    method: 'POST',
    path: '/responses/input_tokens',
    summary: 'Count the tokens of an input',
    body: Type.Object(promptFields),
    result: Type.Object({ object: Type.Literal('response.input_tokens'), input_tokens: Type.Integer() }),
  }),
};
