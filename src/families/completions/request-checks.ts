import { invalidPayload, unsupportedParameter } from '../../errors.ts';
import type { CreateCompletion } from './contract.ts';

interface Unsupported {
  field: keyof CreateCompletion;
  /** Which values ask for nothing. */
  harmless?: (value: unknown) => boolean;
  advice: string;
}

/** Fields of the contract that this server cannot honour. */
export const unsupported: Unsupported[] = [
  {
    field: 'n',
    harmless: (value) => value === 1,
    advice: "One choice per prompt; send 'n': 1, or the prompt several times.",
  },
  {
    field: 'best_of',
    harmless: (value) => value === 1,
    advice: 'Completions are not ranked here; leave it out.',
  },
  {
    field: 'suffix',
    harmless: (value) => value === '',
    advice: 'The model providers here do not insert text; leave it out.',
  },
  { field: 'logprobs', advice: 'Log probabilities are not passed on by the model providers here.' },
  {
    field: 'logit_bias',
    harmless: (value) => Object.keys(value as object).length === 0,
    advice: 'Token biases are not passed on by the model providers here.',
  },
];

/** Throws for what contradicts itself, and for what can't be honoured: nothing is dropped in silence. */
export function checkRequest(body: CreateCompletion): void {
  for (const { field, harmless, advice } of unsupported) {
    const value = body[field];
    if (value === undefined || value === null || harmless?.(value)) continue;
    throw unsupportedParameter(field, `'${field}' can't be honoured as asked. ${advice}`);
  }
  if (body.stream_options && !body.stream) {
    throw invalidPayload('stream_options', "'stream_options' is allowed only with 'stream': true.");
  }
}
