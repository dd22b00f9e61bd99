import { invalidPayload, unsupportedParameter } from '../../errors.ts';
import type { ModelRequest } from '../../providers/models/model.ts';
import type { CreateCompletion } from './contract.ts';

const defaultMaxTokens = 16;

/** The texts to complete. Token ids mean nothing here: which encoding they are of, only the client's model knows. */
export function promptTexts(prompt: CreateCompletion['prompt']): string[] {
  if (typeof prompt === 'string') return [prompt];
  if (typeof prompt[0] !== 'string') {
    throw unsupportedParameter('prompt', "A 'prompt' of token ids can't be honoured here; send text.");
  }
  return prompt.map((element, i) => {
    if (typeof element === 'string') return element;
    throw invalidPayload(
      `prompt[${i}]`,
      `Invalid value for 'prompt[${i}]': must be a text, as the first element is.`,
    );
  });
}

/** A prompt goes to the model as the one message of a user: chat is all that model providers do. */
export const modelRequest = (body: CreateCompletion, prompt: string): ModelRequest => ({
  messages: [{ role: 'user', content: [{ type: 'text', text: prompt }] }],
  tools: [],
  toolChoice: 'auto',
  parallelToolCalls: true,
  outputFormat: { type: 'text' },
  maxOutputTokens: body.max_tokens ?? defaultMaxTokens,
  temperature: body.temperature ?? null,
  topP: body.top_p ?? null,
  presencePenalty: body.presence_penalty ?? null,
  frequencyPenalty: body.frequency_penalty ?? null,
  seed: body.seed ?? null,
  stop: typeof body.stop === 'string' ? [body.stop] : (body.stop ?? []),
  reasoningEffort: null,
  verbosity: null,
  user: body.user ?? null,
  stream: body.stream ?? false,
});

/** What this API calls the fields that model providers complain about. */
export const fieldNames = { input: 'prompt', max_output_tokens: 'max_tokens' };
