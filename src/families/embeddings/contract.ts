import Type, { type Static } from 'typebox';
import { op } from '../../kit/operation.ts';
import { Maybe, OneOf } from '../../kit/schema.ts';

/** Which of the forms it is, and whether all of it has that form, is for `inputTexts` to say: by the exact place. */
const Input = Type.Union(
  [
    Type.String({ minLength: 1 }),
    Type.Array(Type.Union([Type.String(), Type.Number(), Type.Array(Type.Unknown())]), { minItems: 1 }),
  ],
  { description: 'A text, up to 2048 texts, or the same as ids of the `cl100k_base` encoding.' },
);

export const CreateEmbedding = Type.Object({
  model: Type.String({ minLength: 1, description: 'Name of a model deployment.' }),
  input: Input,
  dimensions: Maybe(Type.Integer({ minimum: 1, description: 'Length of the vectors.' })),
  encoding_format: Maybe(OneOf('float', 'base64')),
  user: Maybe(Type.String()),
});
export type CreateEmbedding = Static<typeof CreateEmbedding>;

const Embedding = Type.Object({
  object: Type.Literal('embedding'),
  index: Type.Integer(),
  embedding: Type.Union([
    Type.Array(Type.Number()),
    Type.String({ description: 'Little-endian 32-bit floats in base64.' }),
  ]),
});

export const operations = {
  create: op({
    method: 'POST',
    path: '/embeddings',
    summary: 'Create embeddings',
    wire: 'openai',
    body: CreateEmbedding,
    result: Type.Object({
      object: Type.Literal('list'),
      model: Type.String(),
      data: Type.Array(Embedding),
      usage: Type.Object({ prompt_tokens: Type.Integer(), total_tokens: Type.Integer() }),
    }),
  }),
};
