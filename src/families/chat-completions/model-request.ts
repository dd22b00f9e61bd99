import type { ReadFiles } from '../../kit/named-files.ts';
import { assertJsonSchema } from '../../kit/validation.ts';
import type { ModelOutputFormat, ModelRequest } from '../../providers/models/model.ts';
import type { CreateChatCompletion, ResponseFormat } from './contract.ts';
import type { FieldNames } from './model-call.ts';
import { promptMessages } from './prompt.ts';
import { offeredTools } from './tools.ts';

export interface PreparedRequest {
  request: ModelRequest;
  /** Names of the tools that take free text. */
  customTools: ReadonlySet<string>;
}

export function modelRequest(body: CreateChatCompletion, files?: ReadFiles): PreparedRequest {
  const { tools, choice, custom } = offeredTools(body.tools ?? [], body.tool_choice ?? 'auto');
  return {
    customTools: custom,
    request: {
      messages: promptMessages(body.messages, files),
      tools,
      toolChoice: choice,
      parallelToolCalls: body.parallel_tool_calls ?? true,
      outputFormat: outputFormat(body.response_format ?? { type: 'text' }),
      maxOutputTokens: body.max_completion_tokens ?? body.max_tokens ?? null,
      temperature: body.temperature ?? null,
      topP: body.top_p ?? null,
      presencePenalty: body.presence_penalty ?? null,
      frequencyPenalty: body.frequency_penalty ?? null,
      seed: body.seed ?? null,
      stop: typeof body.stop === 'string' ? [body.stop] : (body.stop ?? []),
      reasoningEffort: body.reasoning_effort ?? null,
      verbosity: body.verbosity ?? null,
      user: body.safety_identifier ?? body.user ?? null,
      stream: body.stream ?? false,
    },
  };
}

export const fieldNames = (body: CreateChatCompletion): FieldNames => ({
  input: 'messages',
  max_output_tokens: body.max_tokens ? 'max_tokens' : 'max_completion_tokens',
  'reasoning.effort': 'reasoning_effort',
  'text.format': 'response_format',
  'text.verbosity': 'verbosity',
});

function outputFormat(format: ResponseFormat): ModelOutputFormat {
  if (format.type !== 'json_schema') return { type: format.type };
  const { name, description, schema, strict } = format.json_schema;
  assertJsonSchema(schema, 'response_format.json_schema.schema');
  return { type: 'json_schema', name, description: description ?? null, schema, strict: strict ?? false };
}
