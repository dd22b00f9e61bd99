import Type, { type Static, type TOptional, type TSchema } from 'typebox';
import { op } from '../../../kit/operation.ts';
import { Maybe, OneOf } from '../../../kit/schema.ts';
import { UnionBy } from '../../../kit/union.ts';
import { ByNewVersion, ByVersion, changeable, fromPath, readOperations, shown } from '../asset-shapes.ts';

const Name = Type.String({ minLength: 1, maxLength: 256 });
const Fields = Type.Array(Name, { maxItems: 100 });

const FieldMapping = Type.Object({
  contentFields: Fields,
  filepathField: Maybe(Name),
  titleField: Maybe(Name),
  urlField: Maybe(Name),
  vectorFields: Maybe(Fields),
  metadataFields: Maybe(Fields),
});

/** What an index of each type says, beside what all assets say. */
const variants = {
  AzureSearch: { connectionName: Name, indexName: Name, fieldMapping: Maybe(FieldMapping) },
  ManagedAzureSearch: { vectorStoreId: Name },
  CosmosDBNoSqlVectorStore: {
    connectionName: Name,
    databaseName: Name,
    containerName: Name,
    embeddingConfiguration: Type.Object({ modelDeploymentName: Name, embeddingField: Name }),
    fieldMapping: FieldMapping,
  },
} satisfies Record<string, Record<string, TSchema>>;

export type IndexType = keyof typeof variants;

/** The type of the connection that an index of this type needs. */
export const connectionTypeOf: Record<IndexType, string | null> = {
  AzureSearch: 'CognitiveSearch',
  ManagedAzureSearch: null,
  CosmosDBNoSqlVectorStore: 'CosmosDB',
};

const one = <const K extends IndexType>(type: K) =>
  Type.Object({ type: Type.Literal(type), ...variants[type] }, { additionalProperties: false });

export const NewIndex = UnionBy('type', {
  AzureSearch: one('AzureSearch'),
  ManagedAzureSearch: one('ManagedAzureSearch'),
  CosmosDBNoSqlVectorStore: one('CosmosDBNoSqlVectorStore'),
});

/** Fields that say what the index is, of whatever type. */
export const definingFields = [...new Set(['type', ...Object.values(variants).flatMap(Object.keys)])];

/** What an index may say, whatever its type. */
const particulars: Record<string, TOptional<TSchema>> = Object.fromEntries(
  Object.values(variants).flatMap((fields) =>
    Object.entries(fields).map(([name, schema]) => [name, Type.Optional(schema)]),
  ),
);

export const IndexVersion = Type.Object(
  { ...shown, ...particulars, type: OneOf(...(Object.keys(variants) as IndexType[])) },
  { title: 'IndexVersion' },
);

/** The whole of a new index, or what is to change of one. */
export const SetIndex = Type.Object({
  ...fromPath,
  ...changeable,
  ...Object.fromEntries(definingFields.map((field) => [field, Type.Optional(Type.Unknown())])),
  type: Maybe(OneOf(...(Object.keys(variants) as IndexType[]))),
});
export type SetIndex = Static<typeof SetIndex>;

const itemPath = '/indexes/{name}/versions/{version}';

export const operations = {
  ...readOperations('indexes', 'index', IndexVersion),
  createOrUpdate: op({
    method: 'PATCH',
    path: itemPath,
    summary: 'Make a version of an index, or change its description and tags',
    wire: 'foundry',
    params: ByNewVersion,
    body: SetIndex,
    result: IndexVersion,
    answersCreated: true,
  }),
  delete: op({
    method: 'DELETE',
    path: itemPath,
    summary: 'Delete a version of an index; the index itself stays where it is',
    wire: 'foundry',
    params: ByVersion,
    status: 204,
  }),
};
