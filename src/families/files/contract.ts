import Type, { type Static } from 'typebox';
import { CursorPage, cursorQuery } from '../../kit/cursor-page.ts';
import { FormFile } from '../../kit/form.ts';
import { multipart, op } from '../../kit/operation.ts';
import { Maybe, OneOf, UnixSeconds } from '../../kit/schema.ts';

/** What files are uploaded for. */
export const Purpose = OneOf('assistants', 'batch', 'fine-tune', 'vision', 'user_data', 'evals');
export type Purpose = Static<typeof Purpose>;

/** The same, and what the server itself makes files for. */
const anyPurpose = OneOf(
  'assistants',
  'assistants_output',
  'batch',
  'batch_output',
  'fine-tune',
  'fine-tune-results',
  'vision',
  'user_data',
  'evals',
);
export type AnyPurpose = Static<typeof anyPurpose>;

export const ExpiresAfter = Type.Object({
  anchor: Type.Literal('created_at'),
  seconds: Type.Integer({ minimum: 3600, maximum: 2_592_000 }),
});

export const File = Type.Object({
  id: Type.String(),
  object: Type.Literal('file'),
  bytes: Type.Integer(),
  created_at: UnixSeconds,
  expires_at: Type.Optional(UnixSeconds),
  filename: Type.String(),
  purpose: anyPurpose,
  status: OneOf('uploaded', 'processed', 'error'),
});
export type File = Static<typeof File>;

export const CreateFile = Type.Object({
  file: FormFile,
  purpose: Purpose,
  expires_after: Maybe(ExpiresAfter),
});

export const mostListed = 10_000;

const byId = Type.Object({ file_id: Type.String({ minLength: 1 }) });
const shared = { wire: 'openai' } as const;

export const operations = {
  create: op({
    ...shared,
    method: 'POST',
    path: '/files',
    summary: 'Upload a file',
    consumes: multipart,
    body: CreateFile,
    fileLimit: 'fileBytes',
    result: File,
  }),
  list: op({
    ...shared,
    method: 'GET',
    path: '/files',
    summary: 'List files',
    query: Type.Object({
      ...cursorQuery,
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: mostListed,
          description: `Page size, ${mostListed} by default.`,
        }),
      ),
      purpose: Type.Optional(Type.String()),
    }),
    result: CursorPage(File),
  }),
  retrieve: op({
    ...shared,
    method: 'GET',
    path: '/files/{file_id}',
    summary: 'Get a file',
    params: byId,
    result: File,
  }),
  delete: op({
    ...shared,
    method: 'DELETE',
    path: '/files/{file_id}',
    summary: 'Delete a file',
    params: byId,
    result: Type.Object({ id: Type.String(), object: Type.Literal('file'), deleted: Type.Boolean() }),
  }),
  content: op({
    ...shared,
    method: 'GET',
    path: '/files/{file_id}/content',
    summary: 'Get the content of a file, or a range of it',
    params: byId,
    answersBytes: true,
  }),
};
