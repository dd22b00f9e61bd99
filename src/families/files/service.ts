import { missingParameter, notFound } from '../../errors.ts';
import { cursorPage, idPosition } from '../../kit/cursor-page.ts';
import { fileAnswer } from '../../kit/file-answer.ts';
import { fileName } from '../../kit/file-name.ts';
import { streamedFormReader } from '../../kit/form.ts';
import { declaredType } from '../../kit/media-type.ts';
import type { Handlers } from '../../kit/operation.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { Contents, Draft } from '../../storage/contents.ts';
import { CreateFile, mostListed, type operations } from './contract.ts';
import type { Files, NewFile } from './files.ts';
import { type FileRow, type FileStore, toFile } from './store.ts';

export interface FilesServiceParts {
  files: Files;
  store: FileStore;
  contents: Contents;
  limits: { fileBytes: number };
}

const fieldBytes = 4096;

export function filesService({
  files,
  store,
  contents,
  limits,
}: FilesServiceParts): Handlers<typeof operations> {
  const readForm = streamedFormReader(CreateFile, { fieldBytes, files: 1, fileBytes: limits.fileBytes });
  const find = async (project: string, id: string): Promise<FileRow> => {
    const row = await store.find(project, id, unixSeconds());
    if (row === undefined) throw noSuchFile(id);
    return row;
  };

  return {
    async create(ctx, { body }) {
      const drafts: Draft[] = [];
      try {
        const form = await readForm(body, async (sent) => {
          // A name that will not do is better refused before half a gigabyte has come.
          const filename = fileName(sent.filename, 'file');
          const draft = await files.write(sent.bytes, ['sha256']);
          drafts.push(draft);
          return { filename, mediaType: declaredType(sent.contentType), draft };
        });
        const sent = form.files[0]?.kept;
        if (sent === undefined) throw missingParameter('file');
        const { purpose, expires_after: expires } = form.values;
        const file: NewFile = {
          project: ctx.project,
          filename: sent.filename,
          purpose,
          mediaType: sent.mediaType,
          expiresAfter: expires?.seconds ?? null,
        };
        files.check({ ...file, bytes: sent.draft.bytes });
        await files.checkContent(file, sent.draft, 'file');
        return await files.add(file, sent.draft);
      } finally {
        for (const draft of drafts) await draft.discard();
      }
    },

    list: (ctx, { query }) =>
      cursorPage(
        { ...query, limit: query.limit ?? mostListed },
        {
          position: idPosition('file'),
          rows: (window) => store.list(ctx.project, query.purpose, unixSeconds(), window),
        },
        toFile,
        ({ id }) => id,
      ),

    retrieve: async (ctx, { params }) => toFile(await find(ctx.project, params.file_id)),

    async delete(ctx, { params }) {
      const { id } = await find(ctx.project, params.file_id);
      await files.remove(ctx.project, id);
      return { id, object: 'file', deleted: true };
    },

    async content(ctx, { params }) {
      const row = await find(ctx.project, params.file_id);
      const answer = await fileAnswer(ctx, {
        path: contents.path(row.content),
        bytes: row.bytes,
        filename: row.filename,
        contentType: row.media_type,
        tag: row.sha256,
      });
      if (answer === null) throw noSuchFile(row.id);
      return answer;
    },
  };
}

const noSuchFile = (id: string) => notFound('file', id.slice(0, 128), 'file_id');
