import Type, { type Static } from 'typebox';
import { FormFile } from '../../kit/form.ts';
import { multipart, op } from '../../kit/operation.ts';
import { Maybe, OneOf, UnixSeconds } from '../../kit/schema.ts';
import { ExpiresAfter, File, Purpose } from '../files/contract.ts';

export const mostParts = 10_000;

export const Upload = Type.Object({
  id: Type.String(),
  object: Type.Literal('upload'),
  bytes: Type.Integer(),
  created_at: UnixSeconds,
  expires_at: UnixSeconds,
  filename: Type.String(),
  purpose: Purpose,
  status: OneOf('pending', 'completed', 'cancelled', 'expired'),
  file: Type.Union([File, Type.Null()]),
});
export type Upload = Static<typeof Upload>;

export const UploadPart = Type.Object({
  id: Type.String(),
  object: Type.Literal('upload.part'),
  created_at: UnixSeconds,
  upload_id: Type.String(),
});
export type UploadPart = Static<typeof UploadPart>;

export const PartForm = Type.Object({ data: FormFile });

const byId = Type.Object({ upload_id: Type.String({ minLength: 1 }) });
const shared = { wire: 'openai' } as const;

export const operations = {
  create: op({
    ...shared,
    method: 'POST',
    path: '/uploads',
    summary: 'Begin to upload a file in parts',
    body: Type.Object({
      filename: Type.String({ minLength: 1, maxLength: 4096 }),
      purpose: Purpose,
      bytes: Type.Integer({ minimum: 0 }),
      mime_type: Type.String({
        pattern: '^[A-Za-z0-9_.+-]{1,64}/[A-Za-z0-9_.+-]{1,128}( *;[ -~]{0,256})?$',
        description: 'The media type of the file.',
      }),
      expires_after: Maybe(ExpiresAfter),
    }),
    result: Upload,
  }),
  addPart: op({
    ...shared,
    method: 'POST',
    path: '/uploads/{upload_id}/parts',
    summary: 'Upload a part of a file',
    params: byId,
    consumes: multipart,
    body: PartForm,
    fileLimit: 'uploadPartBytes',
    result: UploadPart,
  }),
  complete: op({
    ...shared,
    method: 'POST',
    path: '/uploads/{upload_id}/complete',
    summary: 'Make a file of uploaded parts',
    params: byId,
    body: Type.Object({
      part_ids: Type.Array(Type.String({ minLength: 1 }), { minItems: 1, maxItems: mostParts }),
      md5: Maybe(Type.String({ pattern: '^[0-9A-Fa-f]{32}$', description: 'Of the whole, hexadecimal.' })),
    }),
    result: Upload,
  }),
  cancel: op({
    ...shared,
    method: 'POST',
    path: '/uploads/{upload_id}/cancel',
    summary: 'Cancel an upload',
    params: byId,
    result: Upload,
  }),
};
