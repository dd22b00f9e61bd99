import Type, { type Static } from 'typebox';
import { OneOf } from './schema.ts';

/** The shape of scenarios: of a file, and of those that are put in force for a project. `docs/guide/builtin-model.md` describes it, and a test holds the two together. */

const closed = { additionalProperties: false } as const;

export const longestDelay = 60_000;
export const mostScenarios = 500;
const longestText = 200_000;

const Words = Type.String({ minLength: 1, maxLength: 1000 });
const Text = Type.String({ maxLength: longestText });
const Delay = Type.Integer({ minimum: 0, maximum: longestDelay });
const Count = Type.Integer({ minimum: 0, maximum: 1_000_000_000 });
const ToolName = Type.String({ minLength: 1, maxLength: 128 });

export const When = Type.Object(
  {
    input: Type.Optional(Words),
    instructions: Type.Optional(Words),
    turn: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
    tool_output: Type.Optional(Type.Unsafe<string | boolean>({ anyOf: [Type.Boolean(), Words] })),
    tools: Type.Optional(Type.Array(ToolName, { minItems: 1, maxItems: 128 })),
  },
  closed,
);

const ToolCall = Type.Object(
  {
    name: ToolName,
    arguments: Type.Optional(
      Type.Unsafe<string | Record<string, unknown>>({ anyOf: [{ type: 'object' }, Text] }),
    ),
    id: Type.Optional(
      Type.String({ pattern: '^[A-Za-z0-9_-]{1,64}$', rule: 'be an id of letters, digits, `_` and `-`' }),
    ),
  },
  closed,
);

export const failureCodes = [
  'rate_limit_exceeded',
  'service_unavailable',
  'model_error',
  'context_length_exceeded',
  'content_filter',
] as const;

const Fail = Type.Object(
  {
    status: Type.Optional(Type.Unsafe<number>({ type: 'integer', enum: [400, 429, 500, 502, 503, 504] })),
    code: Type.Optional(OneOf(...failureCodes)),
    message: Type.Optional(Type.String({ minLength: 1, maxLength: 2000 })),
    retry_after: Type.Optional(Type.Integer({ minimum: 0, maximum: 86_400 })),
  },
  { ...closed, minProperties: 1 },
);

const Usage = Type.Object(
  {
    input_tokens: Type.Optional(Count),
    cached_input_tokens: Type.Optional(Count),
    output_tokens: Type.Optional(Count),
    reasoning_tokens: Type.Optional(Count),
  },
  closed,
);

export const ScenarioReply = Type.Object(
  {
    text: Type.Optional(Text),
    json: Type.Optional(Type.Unknown()),
    chunks: Type.Optional(Type.Array(Text, { minItems: 1, maxItems: 10_000 })),
    refusal: Type.Optional(Text),
    tool_calls: Type.Optional(Type.Array(ToolCall, { minItems: 1, maxItems: 32 })),
    reasoning: Type.Optional(Text),
    delay_ms: Type.Optional(Delay),
    chunk_delay_ms: Type.Optional(Delay),
    finish: Type.Optional(OneOf('stop', 'length', 'content_filter', 'tool_calls')),
    usage: Type.Optional(Usage),
    fail: Type.Optional(Fail),
    fail_after_chunks: Type.Optional(Type.Integer({ minimum: 0, maximum: 10_000 })),
  },
  { ...closed, minProperties: 1 },
);

const ScenarioEntry = Type.Object(
  {
    name: Type.Optional(Type.String({ maxLength: 200 })),
    when: Type.Optional(When),
    reply: ScenarioReply,
  },
  closed,
);

export const ScenarioFile = Type.Object(
  { scenarios: Type.Array(ScenarioEntry, { maxItems: mostScenarios }) },
  closed,
);

export type ScenarioFile = Static<typeof ScenarioFile>;
export type ScenarioEntry = Static<typeof ScenarioEntry>;
export type ScenarioReply = Static<typeof ScenarioReply>;
