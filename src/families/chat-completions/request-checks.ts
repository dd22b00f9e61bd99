import { invalidPayload } from '../../errors.ts';
import { refuseUnsupportedFields, type UnsupportedField } from '../../kit/unsupported-fields.ts';
import type { CreateChatCompletion } from './contract.ts';

const noLogprobs = 'Log probabilities are not passed on by the model providers here.';
const noAudio = 'Completions here are text; send audio elsewhere.';
const noFunctions = "'functions' and 'function_call' are deprecated; send 'tools' and 'tool_choice'.";

/** Fields of the contract that this server cannot honour. */
export const unsupported: UnsupportedField<CreateChatCompletion>[] = [
  {
    field: 'n',
    harmless: (value) => value === 1,
    advice: "One choice per request; send 'n': 1, or the request again.",
  },
  {
    field: 'service_tier',
    harmless: (value) => value === 'auto' || value === 'default',
    advice: "There is one tier here; leave it out, or send 'auto' or 'default'.",
  },
  {
    field: 'logit_bias',
    harmless: (value) => Object.keys(value as object).length === 0,
    advice: 'Token biases are not passed on by the model providers here.',
  },
  { field: 'logprobs', harmless: (value) => value === false, advice: noLogprobs },
  { field: 'top_logprobs', harmless: (value) => value === 0, advice: noLogprobs },
  {
    field: 'modalities',
    harmless: (value) => (value as string[]).every((modality) => modality === 'text'),
    advice: noAudio,
  },
  { field: 'audio', advice: noAudio },
  { field: 'prediction', advice: 'Predicted outputs are not passed on by the model providers here.' },
  { field: 'web_search_options', advice: 'Chat completions do not search the web here.' },
  { field: 'moderation', advice: 'This server has no moderation model.' },
  { field: 'functions', advice: noFunctions },
  { field: 'function_call', advice: noFunctions },
];

/** Throws for what contradicts itself, and for what can't be honoured: nothing is dropped in silence. */
export function checkRequest(body: CreateChatCompletion): void {
  refuseUnsupportedFields(body, unsupported);
  if (body.stream_options && !body.stream) {
    throw invalidPayload('stream_options', "'stream_options' is allowed only with 'stream': true.");
  }
  if (body.max_tokens && body.max_completion_tokens) {
    throw invalidPayload(
      'max_tokens',
      "'max_tokens' and 'max_completion_tokens' cannot be used together; send the latter.",
    );
  }
}
