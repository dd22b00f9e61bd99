import Type, { type Static } from 'typebox';
import { op } from '../../kit/operation.ts';
import { AnyObject, Maybe, OneOf, UnixSeconds } from '../../kit/schema.ts';
import { Usage } from '../chat-completions/contract.ts';

/** Which of the forms it is, and whether all of it has that form, is for `promptTexts` to say: by the exact place. */
const Prompt = Type.Union(
  [
    Type.String(),
    Type.Array(Type.Union([Type.String(), Type.Number(), Type.Array(Type.Unknown())]), {
      minItems: 1,
      maxItems: 128,
    }),
  ],
  { description: 'A text, or up to 128 texts; each is completed for itself.' },
);

const StopSequence = Type.String({ minLength: 1 });
const Penalty = Type.Number({ minimum: -2, maximum: 2 });

export const CreateCompletion = Type.Object({
  model: Type.String({ minLength: 1, description: 'Name of a model deployment.' }),
  prompt: Prompt,
  max_tokens: Maybe(Type.Integer({ minimum: 1, description: 'For each prompt; 16 by default.' })),
  stop: Maybe(Type.Union([StopSequence, Type.Array(StopSequence, { maxItems: 4 })])),
  temperature: Maybe(Type.Number({ minimum: 0, maximum: 2 })),
  top_p: Maybe(Type.Number({ minimum: 0, maximum: 1 })),
  presence_penalty: Maybe(Penalty),
  frequency_penalty: Maybe(Penalty),
  seed: Maybe(Type.Integer()),
  echo: Maybe(Type.Boolean({ description: 'Whether each text starts with its prompt.' })),
  stream: Maybe(Type.Boolean()),
  stream_options: Maybe(
    Type.Object({ include_usage: Maybe(Type.Boolean()), include_obfuscation: Maybe(Type.Boolean()) }),
  ),
  user: Maybe(Type.String()),
  n: Maybe(Type.Integer({ minimum: 1, maximum: 128 })),
  best_of: Maybe(Type.Integer({ minimum: 0, maximum: 20 })),
  suffix: Maybe(Type.String()),
  logprobs: Maybe(Type.Integer({ minimum: 0, maximum: 5 })),
  logit_bias: Maybe(AnyObject),
});
export type CreateCompletion = Static<typeof CreateCompletion>;

const Choice = Type.Object({
  index: Type.Integer({ description: 'The place of the prompt in the request.' }),
  text: Type.String(),
  logprobs: Type.Null(),
  finish_reason: OneOf('stop', 'length', 'content_filter'),
});
export type Choice = Static<typeof Choice>;

export const Completion = Type.Object({
  id: Type.String(),
  object: Type.Literal('text_completion'),
  created: UnixSeconds,
  model: Type.String({ description: 'Name of the deployment.' }),
  choices: Type.Array(Choice),
  usage: Usage,
});

export const operations = {
  create: op({
    method: 'POST',
    path: '/completions',
    summary: 'Create a completion of a text',
    wire: 'openai',
    body: CreateCompletion,
    result: Completion,
    streams: true,
  }),
};
