import type { Context } from '../../kit/context.ts';
import { ByteStream, type Handlers } from '../../kit/operation.ts';
import type { Archives } from './archive/archives.ts';
import type { operations, Project } from './contract.ts';
import type { ProjectDirectory } from './directory.ts';
import type { Projects } from './projects.ts';
import type { ProjectRow } from './store.ts';

export function projectsService(
  directory: ProjectDirectory,
  projects: Projects,
  archives: Archives,
): Handlers<typeof operations> {
  /** By its own name, which `_project` is not. */
  const { named } = directory;
  const toWire = (ctx: Context, { name, created_at, origin, fork_of }: ProjectRow): Project => ({
    name,
    created_at,
    origin: origin as Project['origin'],
    fork_of,
    is_default: directory.isDefault(name),
    url: ctx.projectUrl.replace(/[^/]*$/, encodeURIComponent(name)),
  });

  const archived = (known: string, passphrase: string | null): ByteStream => {
    const { name } = directory.require(named(known));
    return new ByteStream(archives.write(name, passphrase), 'application/x-tar', {
      'content-disposition': `attachment; filename="${name}.tar"`,
      'cache-control': 'no-store',
    });
  };

  return {
    list: (ctx) => ({ value: directory.list().map((row) => toWire(ctx, row)) }),
    create: async (ctx, { body }) => toWire(ctx, await projects.create(body.name)),
    get: (ctx, { params }) => toWire(ctx, directory.require(named(params.name))),
    fork: async (ctx, { params, body }) => toWire(ctx, await projects.fork(named(params.name), body.name)),
    reset: async (ctx, { params, body }) =>
      toWire(ctx, await projects.reset(named(params.name), body?.to ?? null)),
    export: (_ctx, { params }) => archived(params.name, null),
    exportWithSecrets: (_ctx, { params, body }) => archived(params.name, body.passphrase),
    import: async (ctx, { params, body }) => toWire(ctx, await archives.read(params.name, body)),
    async delete(_ctx, { params }) {
      await projects.delete(named(params.name));
      return undefined;
    },
  };
}
