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

const ConnectionName = Type.String({ minLength: 1, maxLength: 256 });

export const DatasetVersion = Type.Object(
  {
    ...shown,
    type: OneOf('uri_file', 'uri_folder'),
    dataUri: Type.String(),
    isReference: Type.Boolean({ description: 'Whether the data stays when the version is deleted.' }),
    connectionName: Type.Optional(ConnectionName),
  },
  { title: 'DatasetVersion' },
);
export type DatasetVersion = Static<typeof DatasetVersion>;

export const SetDataset = Type.Object({
  ...fromPath,
  ...changeable,
  type: Maybe(OneOf('uri_file', 'uri_folder')),
  dataUri: Maybe(DataUri),
  isReference: Maybe(Type.Boolean()),
  connectionName: Maybe(ConnectionName),
});
export type SetDataset = Static<typeof SetDataset>;

const itemPath = '/datasets/{name}/versions/{version}';

export const operations = {
  ...readOperations('datasets', 'dataset', DatasetVersion),
  createOrUpdate: op({
    method: 'PATCH',
    path: itemPath,
    summary: 'Make a version of a dataset, or change its description and tags',
    wire: 'foundry',
    params: ByNewVersion,
    body: SetDataset,
    result: DatasetVersion,
    answersCreated: true,
  }),
  delete: op({
    method: 'DELETE',
    path: itemPath,
    summary: 'Delete a version of a dataset, with the data that was uploaded for it',
    wire: 'foundry',
    params: ByVersion,
    status: 204,
  }),
  pendingUpload: op({
    method: 'POST',
    path: `${itemPath}/startPendingUpload`,
    summary: 'Start the upload of a version of a dataset, or get the one that was started',
    wire: 'foundry',
    params: ByNewVersion,
    body: PendingUploadRequest('BlobReference', 'TemporaryBlobReference'),
    result: PendingUpload('BlobReference'),
  }),
  getCredentials: op({
    method: 'POST',
    path: `${itemPath}/credentials`,
    summary: 'Get a way to read the data of a version of a dataset',
    wire: 'foundry',
    params: ByVersion,
    result: AssetCredential,
  }),
};
