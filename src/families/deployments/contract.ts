import Type, { type Static } from 'typebox';
import { AzurePage, azurePageQuery } from '../../kit/azure-page.ts';
import { op } from '../../kit/operation.ts';
import { OneOf } from '../../kit/schema.ts';

const Sku = Type.Object({
  name: Type.String(),
  capacity: Type.Integer(),
  family: Type.String(),
  size: Type.String(),
  tier: Type.String(),
});

export const ModelDeployment = Type.Object(
  {
    type: Type.Literal('ModelDeployment'),
    name: Type.String(),
    modelName: Type.String(),
    modelVersion: Type.String(),
    modelPublisher: Type.String(),
    capabilities: Type.Record(Type.String(), Type.String()),
    sku: Sku,
    connectionName: Type.Optional(Type.String()),
  },
  { title: 'ModelDeployment' },
);
export type ModelDeployment = Static<typeof ModelDeployment>;

const ListQuery = Type.Object({
  ...azurePageQuery,
  modelPublisher: Type.Optional(Type.String({ description: 'Exactly this publisher.' })),
  modelName: Type.Optional(Type.String({ description: 'Exactly this model.' })),
  deploymentType: Type.Optional(OneOf('ModelDeployment')),
  top: Type.Optional(Type.Integer({ minimum: 0, description: 'How many deployments to list at most.' })),
  skip: Type.Optional(Type.Integer({ minimum: 0, description: 'How many deployments to leave out first.' })),
  maxpagesize: Type.Optional(Type.Integer({ minimum: 1, description: 'Most deployments on one page.' })),
});

export const operations = {
  list: op({
    method: 'GET',
    path: '/deployments',
    summary: 'List model deployments',
    wire: 'foundry',
    query: ListQuery,
    result: AzurePage(ModelDeployment),
  }),
  get: op({
    method: 'GET',
    path: '/deployments/{name}',
    summary: 'Get a model deployment',
    wire: 'foundry',
    params: Type.Object({ name: Type.String({ minLength: 1 }) }),
    result: ModelDeployment,
  }),
};
