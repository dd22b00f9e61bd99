import Type, { type Static } from 'typebox';
import { op } from '../../../kit/operation.ts';
import { Maybe, OneOf } from '../../../kit/schema.ts';
import {
  AssetCredential,
  ByNewVersion,
  ByVersion,
  changeable,
  DataUri,
  fromPath,
  PendingUpload,
  PendingUploadRequest,
  readOperations,
  shown,
} from '../asset-shapes.ts';
import { artifactCategories, artifactSignals } from './artifact-profile.ts';

const LoraConfig = Type.Object({
  rank: Maybe(Type.Integer({ minimum: 1 })),
  alpha: Maybe(Type.Integer({ minimum: 1 })),
  targetModules: Maybe(Type.Array(Type.String({ minLength: 1, maxLength: 256 }), { maxItems: 1000 })),
  dropout: Maybe(Type.Number({ minimum: 0, maximum: 1 })),
});
export type LoraConfig = Static<typeof LoraConfig>;

const particulars = {
  weightType: Maybe(OneOf('FullWeight', 'LoRA', 'DraftModel')),
  baseModel: Maybe(Type.String({ minLength: 1, maxLength: 1024 })),
  source: Maybe(
    Type.Object({
      sourceType: Maybe(OneOf('LocalUpload', 'TrainingJob')),
      jobId: Maybe(Type.String({ minLength: 1, maxLength: 256 })),
    }),
  ),
  loraConfig: Maybe(LoraConfig),
};

export const ModelVersion = Type.Object(
  {
    ...shown,
    ...particulars,
    blobUri: Type.String(),
    artifactProfile: Type.Object({
      category: OneOf(...artifactCategories),
      signals: Type.Array(OneOf(...artifactSignals)),
    }),
    warnings: Type.Array(Type.Object({ code: Type.String(), message: Type.String() })),
  },
  { title: 'ModelVersion' },
);
export type ModelVersion = Static<typeof ModelVersion>;

export const NewModel = Type.Object({
  ...fromPath,
  ...changeable,
  ...particulars,
  blobUri: DataUri,
});
export type NewModel = Static<typeof NewModel>;

/** What a version is made of, and can't be changed. */
export const lasting = ['blobUri', ...Object.keys(particulars)];

const ChangeModel = Type.Object({
  ...changeable,
  ...Object.fromEntries(lasting.map((field) => [field, Type.Optional(Type.Unknown())])),
});

const itemPath = '/models/{name}/versions/{version}';
const preview = { preview: 'Models=V1Preview' } as const;

export const operations = {
  ...readOperations('models', 'registered model', ModelVersion, preview),
  update: op({
    ...preview,
    method: 'PATCH',
    path: itemPath,
    summary: 'Change the description and tags of a version of a registered model',
    wire: 'foundry',
    params: ByVersion,
    body: ChangeModel,
    result: ModelVersion,
  }),
  delete: op({
    ...preview,
    method: 'DELETE',
    path: itemPath,
    summary: 'Delete a version of a registered model, with its files',
    wire: 'foundry',
    params: ByVersion,
  }),
  pendingUpload: op({
    ...preview,
    method: 'POST',
    path: `${itemPath}/startPendingUpload`,
    summary: 'Start the upload of a version of a model, or get the one that was started',
    wire: 'foundry',
    params: ByNewVersion,
    body: PendingUploadRequest('TemporaryBlobReference'),
    result: PendingUpload('TemporaryBlobReference'),
  }),
  pendingCreateVersion: op({
    ...preview,
    method: 'POST',
    path: `${itemPath}/createAsync`,
    summary: 'Register a version of a model, of files that were uploaded for it',
    wire: 'foundry',
    params: ByNewVersion,
    body: NewModel,
    status: 202,
    result: Type.Object({ location: Type.String(), operationResult: Type.String() }),
  }),
  getCredentials: op({
    ...preview,
    method: 'POST',
    path: `${itemPath}/credentials`,
    summary: 'Get a way to read the files of a version of a registered model',
    wire: 'foundry',
    params: ByVersion,
    body: Type.Object({ blobUri: DataUri }),
    result: AssetCredential,
  }),
};
