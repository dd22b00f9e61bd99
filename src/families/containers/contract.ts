import Type, { type Static } from 'typebox';
import { CursorPage, cursorQuery } from '../../kit/cursor-page.ts';
import { FormFile } from '../../kit/form.ts';
import { multipart, op } from '../../kit/operation.ts';
import { Maybe, OneOf, UnixSeconds } from '../../kit/schema.ts';

export const mostMinutes = 1440;
export const defaultMinutes = 20;
export const memoryLimits = ['1g', '4g', '16g', '64g'] as const;
export type MemoryLimit = (typeof memoryLimits)[number];

const ExpiresAfter = Type.Object({
  anchor: Type.Literal('last_active_at'),
  minutes: Type.Integer({ minimum: 1, maximum: mostMinutes }),
});

export const Container = Type.Object({
  id: Type.String(),
  object: Type.Literal('container'),
  name: Type.String(),
  created_at: UnixSeconds,
  status: OneOf('active', 'expired'),
  last_active_at: UnixSeconds,
  expires_after: ExpiresAfter,
  memory_limit: OneOf(...memoryLimits),
});
export type Container = Static<typeof Container>;

export const ContainerFile = Type.Object({
  id: Type.String(),
  object: Type.Literal('container.file'),
  container_id: Type.String(),
  created_at: UnixSeconds,
  bytes: Type.Integer(),
  path: Type.String({ description: 'Where Python finds it: `/mnt/data/NAME`.' }),
  source: OneOf('user', 'assistant'),
});
export type ContainerFile = Static<typeof ContainerFile>;

export const FileForm = Type.Object({ file: FormFile });

const byContainer = Type.Object({ container_id: Type.String({ minLength: 1 }) });
const byFile = Type.Object({
  container_id: Type.String({ minLength: 1 }),
  file_id: Type.String({ minLength: 1 }),
});
const shared = { wire: 'openai' } as const;
const deleted = <const T extends string>(object: T) =>
  Type.Object({ id: Type.String(), object: Type.Literal(object), deleted: Type.Boolean() });

export const operations = {
  create: op({
    ...shared,
    method: 'POST',
    path: '/containers',
    summary: 'Create a container',
    body: Type.Object({
      name: Type.String({ minLength: 1, maxLength: 256 }),
      file_ids: Maybe(Type.Array(Type.String({ minLength: 1 }), { maxItems: 50 })),
      expires_after: Maybe(ExpiresAfter),
      memory_limit: Maybe(OneOf(...memoryLimits)),
      network_policy: Maybe(Type.Object({ type: OneOf('disabled', 'allowlist') })),
      skills: Maybe(Type.Array(Type.Object({}))),
    }),
    result: Container,
  }),
  list: op({
    ...shared,
    method: 'GET',
    path: '/containers',
    summary: 'List containers',
    query: Type.Object({ ...cursorQuery, name: Type.Optional(Type.String()) }),
    result: CursorPage(Container),
  }),
  retrieve: op({
    ...shared,
    method: 'GET',
    path: '/containers/{container_id}',
    summary: 'Get a container',
    params: byContainer,
    result: Container,
  }),
  delete: op({
    ...shared,
    method: 'DELETE',
    path: '/containers/{container_id}',
    summary: 'Delete a container with its files',
    params: byContainer,
    result: deleted('container.deleted'),
  }),
  createFile: op({
    ...shared,
    method: 'POST',
    path: '/containers/{container_id}/files',
    summary: 'Copy an uploaded file into a container',
    params: byContainer,
    body: Type.Object({ file_id: Type.String({ minLength: 1 }) }),
    result: ContainerFile,
  }),
  uploadFile: op({
    ...shared,
    method: 'POST',
    path: '/containers/{container_id}/files',
    summary: 'Upload a file into a container',
    params: byContainer,
    consumes: multipart,
    body: FileForm,
    result: ContainerFile,
  }),
  listFiles: op({
    ...shared,
    method: 'GET',
    path: '/containers/{container_id}/files',
    summary: 'List the files of a container',
    params: byContainer,
    query: Type.Object(cursorQuery),
    result: CursorPage(ContainerFile),
  }),
  retrieveFile: op({
    ...shared,
    method: 'GET',
    path: '/containers/{container_id}/files/{file_id}',
    summary: 'Get a file of a container',
    params: byFile,
    result: ContainerFile,
  }),
  deleteFile: op({
    ...shared,
    method: 'DELETE',
    path: '/containers/{container_id}/files/{file_id}',
    summary: 'Delete a file of a container',
    params: byFile,
    result: deleted('container.file.deleted'),
  }),
  fileContent: op({
    ...shared,
    method: 'GET',
    path: '/containers/{container_id}/files/{file_id}/content',
    summary: 'Get the content of a file of a container',
    params: byFile,
    answersBytes: true,
  }),
};
