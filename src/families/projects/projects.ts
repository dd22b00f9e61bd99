import { conflict } from '../../errors.ts';
import { noSuchProject } from '../../kit/project-gate.ts';
import type { ProjectPart } from '../../kit/project-part.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { Database } from '../../storage/database.ts';
import { newProject, type ProjectDirectory } from './directory.ts';
import { type ProjectRows, projectRows } from './rows.ts';
import { forkedSeals } from './seals.ts';
import type { ProjectRow, ProjectStore } from './store.ts';

export interface ProjectsParts {
  database: Database;
  store: ProjectStore;
  directory: ProjectDirectory;
  /** What the families have of projects. */
  parts: readonly ProjectPart[];
  /** Is told of a project before it is deleted: nothing of it may be good for the next of its name. */
  onDelete?(name: string): void;
  log: Pick<ModelLog, 'warn'>;
}

export type ResetTo = 'empty' | 'origin';

/** What can be done with a project as a whole. Each change of rows is one transaction. */
export interface Projects {
  create(name: string): Promise<ProjectRow>;
  fork(origin: string, name: string): Promise<ProjectRow>;
  /** To what its origin has, where it is a fork and nothing else is said. */
  reset(name: string, to: ResetTo | null): Promise<ProjectRow>;
  delete(name: string): Promise<void>;
  /** All rows, and what they name. */
  removeAll(name: string): Promise<void>;
  rows(): Promise<ProjectRows>;
  /** Waits until what lay outside the database is removed, too. */
  settled(): Promise<void>;
}

export function createProjects({
  database,
  store,
  directory,
  parts,
  onDelete,
  log,
}: ProjectsParts): Projects {
  let rows: Promise<ProjectRows> | undefined;
  /** Not to be asked for within a transaction, which it would wait for. */
  const allRows = (): Promise<ProjectRows> => {
    const tables = parts.flatMap((part) => part.tables);
    rows ??= projectRows(database, tables);
    return rows;
  };
  const cleaning = new Set<Promise<void>>();

  const end = async (name: string): Promise<void> => {
    await Promise.all(parts.map((part) => part.end?.(name)));
  };
  const changed = (name: string): void => {
    for (const part of parts) part.changed?.(name);
  };

  /** Removes rows; answers how to remove what they name. */
  const empty = async (name: string, on: Database, remove: () => Promise<void>): Promise<() => void> => {
    const steps: (() => Promise<void>)[] = [];
    for (const part of parts) {
      const step = await part.removing?.(name, on);
      if (step !== undefined) steps.push(step);
    }
    await remove();
    return () => {
      for (const step of steps) clean(step);
    };
  };
  const clean = (step: () => Promise<void>): void => {
    const cleaned = step()
      .catch((error) => log.warn({ err: error }, 'what was in a project could not be removed at once'))
      .finally(() => cleaning.delete(cleaned));
    cleaning.add(cleaned);
  };

  const removeAll: Projects['removeAll'] = async (name) => {
    const all = await allRows();
    const removeRest = await database.transaction().execute(async (on) => {
      const rest = await empty(name, on, () => all.remove(name, on));
      await store.remove(name, on);
      return rest;
    });
    removeRest();
  };

  return {
    create: (name) => directory.create(newProject(name, 'created')),

    async fork(origin, name) {
      directory.require(origin);
      const { copy } = await allRows();
      const row = newProject(name, 'created', forkedSeals(directory.sealsOf(origin)), origin);
      const made = await directory.create(row, () =>
        database.transaction().execute(async (on) => {
          if ((await store.find(origin, on)) === undefined) throw noSuchProject(origin);
          await store.add(row, on);
          await copy(origin, name, on);
        }),
      );
      changed(name);
      return made;
    },

    async reset(name, to) {
      const { fork_of: origin } = directory.require(name);
      if (to === 'origin' && origin === null) {
        throw conflict(
          `The project '${name}' is no fork, or the one that it was a fork of is gone. Reset it to 'empty'.`,
          'to',
        );
      }
      const from = to === 'empty' ? null : origin;
      const all = await allRows();
      return directory.alone(
        name,
        () => end(name),
        async () => {
          const before = directory.require(name);
          const seals = from === null ? before.seals : JSON.stringify(forkedSeals(directory.sealsOf(from)));
          const removeRest = await database.transaction().execute(async (on) => {
            const rest = await empty(name, on, () =>
              from === null ? all.remove(name, on) : all.align(from, name, on),
            );
            await store.setSeals(name, seals, on);
            return rest;
          });
          const row = { ...before, seals };
          directory.note(name, row);
          changed(name);
          removeRest();
          return row;
        },
      );
    },

    async delete(name) {
      directory.require(name);
      if (directory.isConfigured(name)) {
        throw conflict(
          `The project '${name}' comes from the server's configuration or command line; take it out there, or reset it.`,
          'name',
        );
      }
      await directory.alone(
        name,
        () => end(name),
        async () => {
          directory.require(name);
          onDelete?.(name);
          await removeAll(name);
          directory.forget(name);
          changed(name);
        },
      );
    },

    removeAll,
    rows: allRows,

    async settled() {
      while (cleaning.size > 0) await Promise.all(cleaning);
    },
  };
}
