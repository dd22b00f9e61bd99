import { openAsBlob } from 'node:fs';
import { invalidPayload, notFound, unsupportedParameter } from '../../errors.ts';
import { newId } from '../../kit/ids.ts';
import { unixSeconds } from '../../kit/time.ts';
import { turns } from '../../kit/turns.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { RunResult } from '../../providers/sandbox/interpreter.ts';
import {
  mostContainerBytes,
  mostFileBytes,
  mostFiles,
  type Sandbox,
  type Session,
} from '../../providers/sandbox/sandbox.ts';
import type { CodeContainers, MadeFile } from '../../providers/tools/code-interpreter/code-containers.ts';
import type { Owner } from '../conversations/store.ts';
import type { FileDirectory, StoredFile } from '../files/directory.ts';
import { type ContainerFile, defaultMinutes, type MemoryLimit, mostMinutes } from './contract.ts';
import { filePath, uploadName } from './file-path.ts';
import type { FileShelf } from './file-shelf.ts';
import { type ContainerRow, type ContainerStore, type FileRow, toContainer, toFile } from './store.ts';

export interface ContainerParts {
  store: ContainerStore;
  shelf: FileShelf;
  sandbox: Sandbox;
  memoryMegabytes: number;
  /** Where files are copied from. */
  files: FileDirectory;
  log: Pick<ModelLog, 'warn'>;
}

export interface ContainerSettings {
  name: string;
  minutes?: number | null | undefined;
  memoryLimit?: MemoryLimit | null | undefined;
}

/** Containers with their files and what runs in them; files of one container change one after another. */
export interface Containers extends CodeContainers {
  create(owner: Owner, settings: ContainerSettings): Promise<ContainerRow>;
  find(id: string, owner: Owner): Promise<ContainerRow>;
  /** One that is not expired. */
  active(id: string, owner: Owner, target?: string): Promise<ContainerRow>;
  remove(id: string): Promise<void>;
  addFile(container: ContainerRow, filename: string, content: Blob): Promise<ContainerFile>;
  /** Copies an uploaded file. Throws what is wrong with it. */
  copyFile(container: ContainerRow, fileId: string, target: string): Promise<ContainerFile>;
  removeFile(container: ContainerRow, file: FileRow): Promise<void>;
  touch(id: string): Promise<void>;
  /** Removes what containers held whose time is over. */
  sweep(): Promise<void>;
}

const gigabyteMegabytes = 1024;
const swept = 100;
/** How long an expired container is still listed. */
const keptSeconds = 7 * 86_400;

export function createContainers({
  store,
  shelf,
  sandbox,
  memoryMegabytes,
  files: uploaded,
  log,
}: ContainerParts): Containers {
  /** One change of a container's files after another. */
  const inTurn = turns();

  const checkMemory: CodeContainers['checkMemory'] = (limit, target) => {
    if (limit === null || limit === undefined || limit === '1g') return;
    if (Number.parseInt(limit, 10) * gigabyteMegabytes <= memoryMegabytes) return;
    throw unsupportedParameter(
      target,
      `Containers have ${memoryMegabytes} MB of memory here (codeInterpreter.memoryMegabytes); ask for no more than '1g'.`,
    );
  };

  const create: Containers['create'] = async (owner, settings) =>
    makeContainer(newId('cntr'), owner, settings);
  const makeContainer = async (
    id: string,
    owner: Owner,
    { name, minutes, memoryLimit }: ContainerSettings,
  ): Promise<ContainerRow> => {
    const now = unixSeconds();
    const row = {
      id,
      project: owner.project,
      user_identity: owner.userIdentity ?? '',
      name,
      created_at: now,
      last_active_at: now,
      expires_minutes: Math.min(minutes ?? defaultMinutes, mostMinutes),
      memory_limit: memoryLimit ?? '1g',
    };
    await store.create(row);
    return { ...row, started: 0, emptied: 0 };
  };

  const find: Containers['find'] = async (id, owner) => {
    const row = await store.find(id, owner);
    if (row === undefined) throw notFound('container', id.slice(0, 128), 'container_id');
    return row;
  };
  const isActive = (row: ContainerRow): boolean => toContainer(row, unixSeconds()).status === 'active';
  const active: Containers['active'] = async (id, owner, target = 'container_id') => {
    const row = await store.find(id, owner);
    if (row === undefined) throw notFound('container', id.slice(0, 128), target);
    if (!isActive(row)) {
      const gone = notFound('active container', id, target);
      gone.message = `The container '${id}' has expired; its files and its state are gone. Create a new one.`;
      throw gone;
    }
    return row;
  };

  /** Stores one file of a container, or tells why it can't be. */
  const put = async (
    containerId: string,
    path: string,
    content: Blob | Uint8Array,
    source: FileRow['source'],
  ): Promise<FileRow | string> => {
    const bytes = content instanceof Blob ? content.size : content.length;
    const others = await store.files(containerId);
    const before = others.find((file) => file.path === path);
    const total = others.reduce((sum, file) => (file === before ? sum : sum + file.bytes), bytes);
    if (before === undefined && others.length >= mostFiles) return `more than ${mostFiles} files`;
    if (bytes > mostFileBytes) return `more than ${mostFileBytes} bytes`;
    if (total > mostContainerBytes) return `more than ${mostContainerBytes} bytes in the container`;
    const revision = newId('rev');
    await shelf.write(containerId, revision, content);
    const row = await store.putFile({
      id: newId('cfile'),
      container_id: containerId,
      path,
      bytes,
      created_at: unixSeconds(),
      source,
      revision,
    });
    if (before !== undefined) await shelf.remove(containerId, before.revision);
    return row;
  };

  const findUploaded = async (project: string, id: string, target: string): Promise<StoredFile> => {
    const file = await uploaded.find(project, id);
    if (file === undefined) throw notFound('file', id.slice(0, 128), target);
    if (file.bytes > mostFileBytes) throw tooLarge(target, `more than ${mostFileBytes} bytes`);
    return file;
  };

  /** A copy of an uploaded file; where its name is taken, the id is put before it. */
  const copy = async (containerId: string, file: StoredFile): Promise<FileRow | string> => {
    const name = uploadName(file.filename);
    const isTaken = (await store.files(containerId)).some(({ path }) => path === name);
    const content = await openAsBlob(file.path);
    return put(containerId, isTaken ? uploadName(`${file.id}-${name}`) : name, content, 'user');
  };

  /** Copies those that were not copied before; answers what could not be. */
  const giveFiles = async (containerId: string, project: string, ids: readonly string[]) => {
    const notes: string[] = [];
    if (ids.length === 0) return notes;
    const given = await store.given(containerId);
    for (const id of new Set(ids)) {
      if (given.has(id)) continue;
      const file = await uploaded.find(project, id);
      const row = file === undefined ? 'it has been deleted' : await copy(containerId, file);
      if (typeof row === 'string') notes.push(`${file?.filename ?? id}: ${row}`);
      await store.noteGiven({ container_id: containerId, file_id: id });
    }
    return notes;
  };

  /** Brings the files that a process has up to date. */
  const bringFiles = async (containerId: string, { interpreter, known }: Session): Promise<void> => {
    const files = await store.files(containerId);
    for (const { path, revision } of files) {
      if (known.get(path) === revision) continue;
      interpreter.put(path, await shelf.read(containerId, revision));
      known.set(path, revision);
    }
    for (const path of known.keys()) {
      if (files.some((file) => file.path === path)) continue;
      interpreter.remove(path);
      known.delete(path);
    }
  };

  const takeFiles = async (containerId: string, session: Session, result: RunResult) => {
    const made: MadeFile[] = [];
    const notes: string[] = [...result.skipped];
    const before = new Map((await store.files(containerId)).map((file) => [file.path, file]));
    for (const given of result.gone) {
      const file = before.get(given);
      session.known.delete(given);
      if (file !== undefined) await removeStored(file);
    }
    for (const { path: given, bytes } of result.files) {
      const path = filePath(given);
      const row =
        path === null ? 'its name is not one for a file' : await put(containerId, path, bytes, 'assistant');
      if (typeof row === 'string') notes.push(`${given}: ${row}`);
      else {
        session.known.set(row.path, row.revision);
        made.push({ id: row.id, path: toFile(row).path, content: bytes });
      }
    }
    return { made, notes };
  };
  const removeStored = async (file: FileRow): Promise<void> => {
    await store.deleteFile(file.container_id, file.id);
    await shelf.remove(file.container_id, file.revision);
  };

  const remove = async (id: string): Promise<void> => {
    await sandbox.drop(id);
    await inTurn(id, async () => {
      await store.delete(id);
      await shelf.removeAll(id);
    });
  };

  return {
    create,
    find,
    active,
    remove,
    checkMemory,
    newId: () => newId('cntr'),
    touch: (id) => store.touch(id, unixSeconds()),
    async require(id, owner, target) {
      await active(id, owner, target);
    },
    async isActive(id, owner) {
      const row = await store.find(id, owner);
      return row !== undefined && isActive(row);
    },

    async checkFiles(ids, { project }, target) {
      const names: string[] = [];
      for (const [i, id] of ids.entries()) {
        names.push(uploadName((await findUploaded(project, id, `${target}[${i}]`)).filename));
      }
      return names;
    },

    addFile: ({ id }, filename, content) =>
      inTurn(id, async () => {
        const row = await put(id, uploadName(filename), content, 'user');
        if (typeof row === 'string') throw tooLarge('file', row);
        await store.touch(id, unixSeconds());
        return toFile(row);
      }),

    async copyFile({ id, project }, fileId, target) {
      const file = await findUploaded(project, fileId, target);
      return inTurn(id, async () => {
        const row = await copy(id, file);
        if (typeof row === 'string') throw tooLarge(target, row);
        await store.noteGiven({ container_id: id, file_id: fileId });
        await store.touch(id, unixSeconds());
        return toFile(row);
      });
    },

    removeFile: ({ id }, file) => inTurn(id, () => removeStored(file)),

    async run({ id, owner, fileIds }, code, signal) {
      // Calls that are made together find it missing together.
      const known = await inTurn(id, async () => {
        const found = await store.find(id, owner);
        if (found === undefined) await makeContainer(id, owner, { name: 'auto' });
        else await active(id, owner, 'container');
        await store.start(id, unixSeconds());
        return found;
      });
      return sandbox.use(id, signal, async (session) => {
        const isRestart = session.fresh && known?.started === 1;
        const missing = await inTurn(id, async () => {
          const unfit = await giveFiles(id, owner.project, fileIds);
          await bringFiles(id, session);
          return unfit;
        });
        const result = await session.interpreter.run(code, signal);
        signal.throwIfAborted();
        const { made, notes } = await inTurn(id, async () => {
          // Whoever has deleted the container meanwhile wants nothing of it back.
          if ((await store.find(id, owner)) === undefined) throw notFound('container', id, 'container');
          return takeFiles(id, session, result);
        });
        await store.touch(id, unixSeconds());
        return { logs: logsOf(result, [...missing, ...notes], isRestart, sandbox), files: made };
      });
    },

    async sweep() {
      try {
        const now = unixSeconds();
        for (const { id } of await store.expired(now, swept)) {
          await sandbox.drop(id);
          await inTurn(id, async () => {
            await store.empty(id);
            await shelf.removeAll(id);
          });
        }
        await store.forget(now - keptSeconds);
      } catch (error) {
        log.warn({ err: error }, 'expired containers could not be removed');
      }
    },
  };
}

const tooLarge = (target: string, why: string) =>
  invalidPayload(target, `The file can't be taken into the container: ${why}.`);

/** What was printed, and below it what the caller has to know besides. */
function logsOf(result: RunResult, notes: string[], isRestart: boolean, { bounds }: Sandbox): string {
  const seconds = bounds.timeoutMilliseconds / 1000;
  const told = [...notes.map((note) => `Not kept: ${note}.`)];
  if (result.truncated) told.unshift(`Only the first ${bounds.outputBytes} bytes of the output are kept.`);
  if (result.interrupted) told.unshift(`The code took longer than ${seconds} s and was interrupted.`);
  if (isRestart) {
    told.push('Python was started anew before this: variables of earlier calls are gone, files are there.');
  }
  const causes = {
    time: `The code took longer than ${seconds} s and could not be interrupted, so Python was ended.`,
    memory: 'The code used too much memory, so Python was ended.',
    fault: 'Python has ended.',
  };
  if (result.ended !== null) {
    told.push(`${causes[result.ended]} Variables are gone; files of earlier calls are there.`);
  }
  if (told.length === 0) return result.output;
  const gap = result.output === '' || result.output.endsWith('\n') ? '' : '\n';
  return `${result.output}${gap}${told.map((note) => `[${note}]\n`).join('')}`;
}
