import { invalidPayload } from '../../errors.ts';
import { refuseUnsupportedFields, type UnsupportedField } from '../../kit/unsupported-fields.ts';
import type { CreateCompletion } from './contract.ts';

/** Fields of the contract that this server cannot honour. */
export const unsupported: UnsupportedField<CreateCompletion>[] = [
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
  refuseUnsupportedFields(body, unsupported);
  if (body.stream_options && !body.stream) {
    throw invalidPayload('stream_options', "'stream_options' is allowed only with 'stream': true.");
  }
}
