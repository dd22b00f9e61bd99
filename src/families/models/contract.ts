import Type, { type Static } from 'typebox';
import { op } from '../../kit/operation.ts';
import { UnixSeconds } from '../../kit/schema.ts';

export const Model = Type.Object({
  id: Type.String({ description: 'Name of the deployment: what requests give as `model`.' }),
  object: Type.Literal('model'),
  created: UnixSeconds,
  owned_by: Type.String({ description: 'Publisher of the model.' }),
});
export type Model = Static<typeof Model>;

export const operations = {
  list: op({
    method: 'GET',
    path: '/models',
    summary: 'List models',
    wire: 'openai',
    result: Type.Object({ object: Type.Literal('list'), data: Type.Array(Model) }),
  }),
  retrieve: op({
    method: 'GET',
    path: '/models/{model}',
    summary: 'Get a model',
    wire: 'openai',
    params: Type.Object({ model: Type.String({ minLength: 1 }) }),
    result: Model,
  }),
};
