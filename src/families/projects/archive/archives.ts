import { invalidPayload, missingParameter } from '../../../errors.ts';
import { streamedFormReader } from '../../../kit/form.ts';
import { newId } from '../../../kit/ids.ts';
import type { MultipartBody } from '../../../kit/operation.ts';
import type { ProjectPart } from '../../../kit/project-part.ts';
import { contents } from '../../../storage/contents.ts';
import type { Database } from '../../../storage/database.ts';
import type { PassphraseKeys } from '../../../trust/passphrase.ts';
import type { Sealer } from '../../../trust/sealing.ts';
import { ArchiveForm } from '../contract.ts';
import { exists, newProject, type ProjectDirectory } from '../directory.ts';
import { counting, forgetNumbers } from '../numbers.ts';
import type { Projects } from '../projects.ts';
import { newSeal } from '../seals.ts';
import { isPassing, type ProjectRow, type ProjectStore } from '../store.ts';
import { checkArchive, discardAll, takeContents, takeNumbers, writeRows } from './read.ts';
import { arriving, leaving, sealingOf, unlocked } from './secrets.ts';
import { writeArchive } from './write.ts';

export interface ArchivesParts {
  database: Database;
  store: ProjectStore;
  directory: ProjectDirectory;
  projects: Projects;
  parts: readonly ProjectPart[];
  /** Where archives lie while they are read. */
  folder: string;
  limits: { uploadBytes: number };
  sealer: Sealer;
  /** What secrets are sealed with where an archive is to have them. */
  passphrases: PassphraseKeys;
}

/** Projects as archives: one file each, which another server can read. */
export interface Archives {
  /** Without secrets, unless a passphrase is given that they are sealed under. */
  write(name: string, passphrase: string | null): AsyncGenerator<Uint8Array>;
  /** Makes a project of an archive, all of it or nothing. */
  read(name: string, body: MultipartBody): Promise<ProjectRow>;
  /** Removes what an earlier process was in the middle of. */
  start(): Promise<void>;
}

export function createArchives({
  database,
  store,
  directory,
  projects,
  parts,
  folder,
  limits,
  sealer,
  passphrases,
}: ArchivesParts): Archives {
  const kept = contents(folder);
  const tables = parts.flatMap((part) => part.tables.filter(({ rows }) => rows === 'kept'));
  const readForm = streamedFormReader(ArchiveForm, {
    ...{ fieldBytes: 4096, files: 1 },
    fileBytes: limits.uploadBytes,
  });

  /** All that a project has at one moment, as a project that nobody is in; its name is none that could be asked for. */
  const snapshotOf = async (name: string): Promise<string> => {
    const still = `~${newId('snapshot')}`;
    const { copy } = await projects.rows();
    await database.transaction().execute(async (on) => {
      await store.add(newProject(still, 'snapshot', directory.sealsOf(name)), on);
      await copy(name, still, on, 'as it is');
      for (const { archive } of parts) await archive?.still?.(still, on);
    });
    return still;
  };

  const readAt = async (path: string, name: string, passphrase?: string): Promise<ProjectRow> => {
    const archive = await checkArchive(path, (head) => unlocked(head, passphrase, passphrases));
    if (directory.find(name) !== undefined) throw exists(name);
    const { columns } = await projects.rows();
    const seal = newSeal();
    const { under, head } = archive;
    const secrets =
      under === null ? null : arriving(under, head.secrets?.salt ?? '', { sealer, whose: seal });
    const importers = await takeContents(archive, parts, name, secrets);
    try {
      const row = newProject(name, 'import', [seal]);
      await directory.create(row, async () => {
        await store.add({ ...row, origin: 'unfinished' });
        try {
          await takeNumbers(archive, tables, name, database);
          await writeRows(archive, parts, importers, { tables, columns, to: name }, database);
          await store.setOrigin(name, row.origin);
        } catch (error) {
          await projects.removeAll(name);
          throw error;
        } finally {
          await forgetNumbers(counting(tables), name, database);
        }
      });
      for (const part of parts) part.changed?.(name);
      return row;
    } catch (error) {
      await discardAll(importers);
      if (isRefusedRow(error)) {
        throw invalidPayload(
          'file',
          'The archive has rows in it that are missing something, or are there twice.',
        );
      }
      throw error;
    }
  };

  return {
    async *write(name, passphrase) {
      const sealed = passphrase === null ? null : await sealingOf(passphrase, passphrases);
      const still = await snapshotOf(name);
      const secrets =
        sealed === null
          ? null
          : {
              sealing: sealed.sealing,
              leaving: leaving(sealed.under, sealed.sealing.salt, { sealer, whose: name }),
              mac: sealed.under.mac,
            };
      try {
        yield* writeArchive({ database, parts, project: name, still, secrets });
      } finally {
        await projects.removeAll(still);
      }
    },

    async read(name, body) {
      if (directory.find(name) !== undefined) throw exists(name);
      const id = newId('archive');
      try {
        const form = await readForm(body, async ({ bytes }) => {
          const draft = await kept.write(bytes, []);
          await draft.place(id);
        });
        if (form.files.length === 0) throw missingParameter('file');
        return await readAt(kept.path(id), name, form.values.passphrase);
      } finally {
        await kept.remove(id);
      }
    },

    async start() {
      await kept.removeDrafts();
      await kept.removeUnknown(newId('archive'), async () => new Set());
      for (const { name } of (await store.all()).filter(isPassing)) {
        await projects.removeAll(name);
        // One that has the name by now, from the configuration.
        const known = directory.find(name);
        if (known !== undefined) await store.add(known);
      }
    },
  };
}

const isRefusedRow = (error: unknown): boolean => /constraint|mismatch/i.test((error as Error).message ?? '');
