import { missingParameter, notFound, unsupportedParameter } from '../../errors.ts';
import type { Context } from '../../kit/context.ts';
import { cursorPage, idPosition } from '../../kit/cursor-page.ts';
import { formReader } from '../../kit/form.ts';
import { ByteStream, type Handlers } from '../../kit/operation.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { Owner } from '../conversations/store.ts';
import type { Containers } from './containers.ts';
import { FileForm, type operations } from './contract.ts';
import type { FileShelf } from './file-shelf.ts';
import { type ContainerStore, type FileRow, toContainer, toFile } from './store.ts';

const readForm = formReader(FileForm, { fieldBytes: 65_536, files: 1 });

export function containersService(
  containers: Containers,
  store: ContainerStore,
  shelf: FileShelf,
): Handlers<typeof operations> {
  const fileOf = async (containerId: string, fileId: string): Promise<FileRow> => {
    const file = await store.findFile(containerId, fileId);
    if (file === undefined) throw notFound('file of the container', fileId.slice(0, 128), 'file_id');
    return file;
  };

  return {
    async create(ctx, { body }) {
      if (body.skills?.length) throw unsupportedParameter('skills', 'Skills are not served yet.');
      if (body.network_policy?.type === 'allowlist') {
        throw unsupportedParameter('network_policy', 'Code in containers has no network here.');
      }
      containers.checkMemory(body.memory_limit, 'memory_limit');
      const fileIds = body.file_ids ?? [];
      await containers.checkFiles(fileIds, ownerOf(ctx), 'file_ids');
      const row = await containers.create(ownerOf(ctx), {
        name: body.name,
        minutes: body.expires_after?.minutes,
        memoryLimit: body.memory_limit,
      });
      try {
        for (const [i, id] of [...new Set(fileIds)].entries()) {
          await containers.copyFile(row, id, `file_ids[${i}]`);
        }
      } catch (error) {
        await containers.remove(row.id);
        throw error;
      }
      return toContainer(row, unixSeconds());
    },

    list: (ctx, { query }) =>
      cursorPage(
        query,
        { position: idPosition('cntr'), rows: (window) => store.list(ownerOf(ctx), query.name, window) },
        (row) => toContainer(row, unixSeconds()),
        ({ id }) => id,
      ),

    retrieve: async (ctx, { params }) =>
      toContainer(await containers.find(params.container_id, ownerOf(ctx)), unixSeconds()),

    async delete(ctx, { params: { container_id: id } }) {
      await containers.find(id, ownerOf(ctx));
      await containers.remove(id);
      return { id, object: 'container.deleted', deleted: true };
    },

    async createFile(ctx, { params, body }) {
      const container = await containers.active(params.container_id, ownerOf(ctx));
      return containers.copyFile(container, body.file_id, 'file_id');
    },

    async uploadFile(ctx, { params, body }) {
      const container = await containers.active(params.container_id, ownerOf(ctx));
      return readForm(body, async ({ values, data }) => {
        const file = data.get('file') ?? data.get('file[]');
        if (!(file instanceof Blob)) throw missingParameter('file');
        return containers.addFile(container, values.file, file);
      });
    },

    async listFiles(ctx, { params, query }) {
      const { id } = await containers.active(params.container_id, ownerOf(ctx));
      return cursorPage(
        query,
        { position: idPosition('cfile'), rows: (window) => store.listFiles(id, window) },
        toFile,
        (file) => file.id,
      );
    },

    async retrieveFile(ctx, { params }) {
      const { id } = await containers.active(params.container_id, ownerOf(ctx));
      return toFile(await fileOf(id, params.file_id));
    },

    async deleteFile(ctx, { params }) {
      const container = await containers.active(params.container_id, ownerOf(ctx));
      const file = await fileOf(container.id, params.file_id);
      await containers.removeFile(container, file);
      return { id: file.id, object: 'container.file.deleted', deleted: true };
    },

    async fileContent(ctx, { params }) {
      const { id } = await containers.active(params.container_id, ownerOf(ctx));
      const file = await fileOf(id, params.file_id);
      await containers.touch(id);
      return new ByteStream(shelf.stream(id, file.revision), 'application/octet-stream', {
        'content-length': String(file.bytes),
      });
    },
  };
}

const ownerOf = (ctx: Context): Owner => ({ project: ctx.project, userIdentity: ctx.userIdentity });
