import type { ModelRequest } from './model.ts';

/** A model call that asks for nothing in particular, to be spread under what is asked for. */
export const plainRequest: Omit<ModelRequest, 'messages'> = {
  tools: [],
  toolChoice: 'auto',
  parallelToolCalls: true,
  outputFormat: { type: 'text' },
  maxOutputTokens: null,
  temperature: null,
  topP: null,
  presencePenalty: null,
  frequencyPenalty: null,
  seed: null,
  stop: [],
  reasoningEffort: null,
  verbosity: null,
  user: null,
  stream: false,
};
