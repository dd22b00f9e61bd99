import { createReadStream } from 'node:fs';
import { conflict, invalidPayload, missingParameter, notFound } from '../../errors.ts';
import { fileName } from '../../kit/file-name.ts';
import { streamedFormReader } from '../../kit/form.ts';
import { newId } from '../../kit/ids.ts';
import { declaredType } from '../../kit/media-type.ts';
import type { Handlers } from '../../kit/operation.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { Contents, Draft } from '../../storage/contents.ts';
import type { Files } from '../files/files.ts';
import { mostParts, type operations, PartForm, type Upload } from './contract.ts';
import type { PartRow, UploadRow, UploadStore } from './store.ts';

export interface UploadParts {
  store: UploadStore;
  contents: Contents;
  files: Files;
  limits: { uploadBytes: number; uploadPartBytes: number };
  /** Uploads whose file is being made; nothing else happens to them meanwhile. */
  completing: Set<string>;
}

const pendingSeconds = 3600;
const chunkBytes = 1_048_576;

export function uploadsService({
  store,
  contents,
  files,
  limits,
  completing,
}: UploadParts): Handlers<typeof operations> {
  const readForm = streamedFormReader(PartForm, {
    fieldBytes: 4096,
    files: 1,
    fileBytes: limits.uploadPartBytes,
  });

  /** One that is still going on. */
  const pending = async (project: string, id: string): Promise<UploadRow> => {
    const upload = await store.find(project, id);
    if (upload === undefined) throw notFound('upload', id.slice(0, 128), 'upload_id');
    refuseEnded(upload);
    if (completing.has(id)) throw conflict(`The upload '${id}' is just being completed.`, 'upload_id');
    return upload;
  };

  /** The parts in the order of their ids; they must be all of the file. */
  const partsOf = async (upload: UploadRow, ids: string[]): Promise<PartRow[]> => {
    const known = new Map((await store.parts(upload.id)).map((part) => [part.id, part]));
    const parts = ids.map((id, at) => {
      const part = known.get(id);
      known.delete(id);
      if (part !== undefined) return part;
      const what = ids.indexOf(id) < at ? 'is named twice' : 'is no part of this upload';
      throw invalidPayload(`part_ids[${at}]`, `'${id.slice(0, 128)}' ${what}.`);
    });
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    if (bytes === upload.bytes) return parts;
    throw invalidPayload(
      'part_ids',
      `The parts have ${bytes} bytes together, but the upload was announced with ${upload.bytes}.`,
    );
  };

  const removeAll = async (ids: string[]): Promise<void> => {
    for (const id of ids) await contents.remove(id);
  };

  async function* bytesOf(parts: PartRow[]): AsyncGenerator<Uint8Array> {
    for (const { id } of parts) yield* createReadStream(contents.path(id), { highWaterMark: chunkBytes });
  }

  return {
    async create(ctx, { body }) {
      const filename = fileName(body.filename, 'filename');
      if (body.bytes > limits.uploadBytes) {
        throw invalidPayload(
          'bytes',
          `Uploads have ${limits.uploadBytes} bytes at most here (limits.uploadBytes).`,
        );
      }
      files.check(
        { filename, purpose: body.purpose, bytes: body.bytes },
        { filename: 'filename', bytes: 'bytes' },
      );
      const now = unixSeconds();
      const upload: UploadRow = {
        id: newId('upload'),
        project: ctx.project,
        filename,
        purpose: body.purpose,
        bytes: body.bytes,
        media_type: declaredType(body.mime_type.replace(/ *;.*/, '')),
        file_seconds: body.expires_after?.seconds ?? null,
        status: 'pending',
        created_at: now,
        expires_at: now + pendingSeconds,
      };
      await store.add(upload);
      return toUpload(upload);
    },

    async addPart(ctx, { params, body }) {
      const upload = await pending(ctx.project, params.upload_id);
      const drafts: Draft[] = [];
      try {
        const form = await readForm(body, async ({ bytes }) => {
          drafts.push(await contents.write(bytes, []));
        });
        const [draft] = drafts;
        if (form.files.length === 0 || draft === undefined) throw missingParameter('data');
        const part = {
          id: newId('part'),
          upload_id: upload.id,
          bytes: draft.bytes,
          created_at: unixSeconds(),
        };
        await draft.place(part.id);
        try {
          await contents.sync([part.id]);
          await store.addPart(part, (current, { count, bytes }) => {
            refuseEnded(current ?? { ...upload, status: 'expired' });
            if (count >= mostParts) throw tooMuch(`more than ${mostParts} parts`);
            if (bytes + part.bytes > limits.uploadBytes)
              throw tooMuch(`more than ${limits.uploadBytes} bytes`);
          });
        } catch (error) {
          await contents.remove(part.id);
          throw error;
        }
        return { id: part.id, object: 'upload.part', created_at: part.created_at, upload_id: upload.id };
      } finally {
        for (const draft of drafts) await draft.discard();
      }
    },

    async complete(ctx, { params, body }) {
      const upload = await pending(ctx.project, params.upload_id);
      completing.add(upload.id);
      let draft: Draft | undefined;
      try {
        const parts = await partsOf(upload, body.part_ids);
        draft = await files.write(bytesOf(parts), body.md5 ? ['sha256', 'md5'] : ['sha256']);
        if (body.md5 && draft.digests.md5 !== body.md5.toLowerCase()) {
          throw invalidPayload('md5', `The MD5 of the content is ${draft.digests.md5}, not the one given.`);
        }
        await files.checkContent(upload, draft, 'part_ids');
        let over: string[] = [];
        const { project, filename, purpose, media_type: mediaType, file_seconds: expiresAfter } = upload;
        const file = await files.add(
          { project, filename, purpose, mediaType, expiresAfter },
          draft,
          async (on) => {
            over =
              (await store.end(upload.id, 'completed', on)) ?? refuseEnded({ ...upload, status: 'expired' });
          },
        );
        await removeAll(over);
        return { ...toUpload({ ...upload, status: 'completed' }), file };
      } finally {
        completing.delete(upload.id);
        await draft?.discard();
      }
    },

    async cancel(ctx, { params }) {
      const upload = await pending(ctx.project, params.upload_id);
      const parts = await store.endAlone(upload.id, 'cancelled');
      // Somebody else has ended it just now.
      if (parts === null) await pending(ctx.project, upload.id);
      await removeAll(parts ?? []);
      return toUpload({ ...upload, status: 'cancelled' });
    },
  };
}

/** Throws for an upload that takes nothing any more. */
function refuseEnded(upload: UploadRow): never[] {
  const status = statusOf(upload, unixSeconds());
  if (status === 'pending') return [];
  throw invalidPayload('upload_id', `The upload '${upload.id}' is ${status}; begin a new one.`);
}

const statusOf = ({ status, expires_at: end }: UploadRow, now: number): Upload['status'] =>
  status === 'pending' && end <= now ? 'expired' : status;

const tooMuch = (what: string) => invalidPayload('data', `The upload would have ${what}.`);

const toUpload = (row: UploadRow): Upload => ({
  id: row.id,
  object: 'upload',
  bytes: row.bytes,
  created_at: row.created_at,
  expires_at: row.expires_at,
  filename: row.filename,
  purpose: row.purpose,
  status: row.status,
  file: null,
});
