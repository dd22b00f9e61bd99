import Type from 'typebox';
import { op } from '../../kit/operation.ts';
import { UnionBy } from '../../kit/union.ts';

const Part = UnionBy('type', {
  text: Type.Object({ type: Type.Literal('text'), text: Type.String() }),
  image_url: Type.Object({
    type: Type.Literal('image_url'),
    image_url: Type.Object({
      url: Type.String({ minLength: 1, description: 'Web address or `data:` URL.' }),
    }),
  }),
});

const CreateModeration = Type.Object({
  model: Type.String({ minLength: 1, description: 'Name of a model deployment.' }),
  input: Type.Union([
    Type.String(),
    Type.Array(Type.String(), { minItems: 1 }),
    Type.Array(Part, { minItems: 1 }),
  ]),
});

/** By category: whether it applies, how much, and to which kinds of input. */
const ByCategory = <T extends Type.TSchema>(of: T) => Type.Record(Type.String(), of);

const Moderation = Type.Object({
  flagged: Type.Boolean(),
  categories: ByCategory(Type.Union([Type.Boolean(), Type.Null()])),
  category_scores: ByCategory(Type.Number()),
  category_applied_input_types: Type.Optional(ByCategory(Type.Array(Type.String()))),
});

export const operations = {
  create: op({
    method: 'POST',
    path: '/moderations',
    summary: 'Classify texts and images by harm',
    wire: 'openai',
    body: CreateModeration,
    result: Type.Object({ id: Type.String(), model: Type.String(), results: Type.Array(Moderation) }),
  }),
};
