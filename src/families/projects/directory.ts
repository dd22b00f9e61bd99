import { apiError, conflict, invalidPayload } from '../../errors.ts';
import { namedProject, noSuchProject, type ProjectGate, type ProjectWork } from '../../kit/project-gate.ts';
import { projectNameRule } from '../../kit/project-name.ts';
import { unixSeconds } from '../../kit/time.ts';
import { isProjectName } from './contract.ts';
import { newSeal } from './seals.ts';
import { isPassing, type Origin, type ProjectRow, type ProjectStore } from './store.ts';

export interface ProjectDirectoryOptions {
  /** Those of the configuration; the first is the default one. */
  configured: readonly string[];
  /** Whether a project is made by the first request that names it. */
  createOnUse: boolean;
  /** Projects that there may be. */
  most: number;
}

/** The projects of this server, in memory as they are on disk, and who is in them. */
export interface ProjectDirectory extends ProjectGate {
  list(): ProjectRow[];
  find(name: string): ProjectRow | undefined;
  /** Throws `not_found`. */
  require(name: string): ProjectRow;
  /** The name of the project that a grant is for. Refuses one that there is not and that no first use makes. */
  granted(name: string, target: string): string;
  isConfigured(name: string): boolean;
  isDefault(name: string): boolean;
  sealsOf(name: string): readonly string[];
  /** Makes a project: nobody is in it before `write` has stored its row, with what there is in it. */
  create(row: ProjectRow, write?: () => Promise<void>): Promise<ProjectRow>;
  /** What is known of a project from now on. */
  note(name: string, row: ProjectRow): void;
  /** It is gone, and its forks are nobody's. */
  forget(name: string): void;
  /** Does something while nobody is in a project. Who is, is told to end, and waited for up to a limit. */
  alone<T>(name: string, end: () => Promise<void>, work: () => Promise<T>): Promise<T>;
}

const patience = 10_000;

export async function projectDirectory(
  store: ProjectStore,
  { configured, createOnUse, most }: ProjectDirectoryOptions,
): Promise<ProjectDirectory> {
  const named = namedProject(configured[0]);
  const known = new Map<string, { row: ProjectRow; seals: readonly string[] }>();
  const inside = new Map<string, Set<ProjectWork>>();
  /** Projects that nobody may enter, or that are being made. */
  const closed = new Set<string>();
  const making = new Map<string, Promise<ProjectRow>>();
  const left = new Map<string, () => void>();

  const note: ProjectDirectory['note'] = (name, row) => {
    known.set(name, { row, seals: JSON.parse(row.seals) });
  };
  const stored = await store.all();
  for (const row of stored) if (!isPassing(row)) note(row.name, row);
  for (const name of configured) {
    if (known.has(name)) continue;
    // What was sealed before projects were kept is bound to their names.
    const row = newProject(name, 'configuration', [name]);
    // Else what is left of an unfinished one of that name has to go first, and the row is stored then.
    if (!stored.some((one) => one.name === name)) await store.add(row);
    note(name, row);
  }

  const create: ProjectDirectory['create'] = async (row, write = () => store.add(row)) => {
    const { name } = row;
    if (known.has(name) || making.has(name)) throw exists(name);
    if (known.size + making.size >= most) throw full(most);
    const made = (async () => {
      await write();
      note(name, row);
      return row;
    })();
    making.set(name, made);
    try {
      return await made;
    } finally {
      making.delete(name);
    }
  };

  const letIn = (project: string, work: ProjectWork): string => {
    if (closed.has(project)) throw busy(project);
    const there = inside.get(project) ?? new Set();
    inside.set(project, there.add(work));
    return project;
  };

  const onFirstUse = async (name: string, work: ProjectWork): Promise<string> => {
    await (making.get(name) ?? create(newProject(name, 'first use')));
    return letIn(name, work);
  };

  return {
    create,
    note,
    forget(name) {
      known.delete(name);
      for (const { row } of [...known.values()]) {
        if (row.fork_of === name) note(row.name, { ...row, fork_of: null });
      }
    },
    list: () => [...known.values()].map(({ row }) => row).sort((a, b) => (a.name < b.name ? -1 : 1)),
    find: (name) => known.get(name)?.row,
    isConfigured: (name) => configured.includes(name),
    isDefault: (name) => name === configured[0],
    sealsOf: (name) => known.get(name)?.seals ?? [name],

    require(name) {
      const found = known.get(name)?.row;
      if (found === undefined) throw noSuchProject(name);
      return found;
    },

    named,

    granted(name, target) {
      const project = named(name);
      if (known.has(project) || (createOnUse && isProjectName(project))) return project;
      throw invalidPayload(
        target,
        createOnUse
          ? `The project has to be ${projectNameRule}.`
          : `There is no project '${name}'. Make it first, with \`bloomery project create\`.`,
      );
    },

    enter(name, work, mayMake) {
      const project = named(name);
      if (known.has(project)) return letIn(project, work);
      if (!createOnUse || !isProjectName(project) || !mayMake()) throw noSuchProject(name);
      return onFirstUse(project, work);
    },

    leave(project, work) {
      const there = inside.get(project);
      if (!there?.delete(work) || there.size > 0) return;
      inside.delete(project);
      left.get(project)?.();
    },

    async alone(name, end, work) {
      if (closed.has(name)) throw busy(name);
      closed.add(name);
      try {
        const reason = interrupted(name);
        const empty = new Promise<void>((resolve) => left.set(name, resolve));
        for (const one of inside.get(name) ?? []) one.interrupt(reason);
        const limit = Promise.withResolvers<never>();
        const timer = setTimeout(() => limit.reject(stillBusy(name)), patience);
        try {
          await Promise.race([Promise.all([end(), inside.has(name) ? empty : null]), limit.promise]);
        } finally {
          clearTimeout(timer);
        }
        return await work();
      } finally {
        left.delete(name);
        closed.delete(name);
      }
    },
  };
}

export const newProject = (
  name: string,
  origin: Origin,
  seals: readonly string[] = [newSeal()],
  forkOf: string | null = null,
): ProjectRow => ({
  name,
  created_at: unixSeconds(),
  origin,
  fork_of: forkOf,
  seals: JSON.stringify(seals),
});

export const exists = (name: string) =>
  conflict(`There is a project '${name}' already. Choose another name, or delete it first.`, 'name');

const full = (most: number) =>
  conflict(`There are ${most} projects, which is the most here (limits.projects). Delete one first.`, 'name');

const busy = (name: string) =>
  apiError(
    'service_unavailable',
    `The project '${name}' is just being reset or deleted. Repeat the request.`,
    {
      target: 'project',
      headers: { 'retry-after': '1' },
      retry: true,
    },
  );

export const interrupted = (name: string) =>
  apiError('service_unavailable', `The project '${name}' is being reset or deleted.`, {
    target: 'project',
    retry: false,
  });

const stillBusy = (name: string) =>
  conflict(`Work in the project '${name}' has not ended in time, so nothing was changed. Try again.`, 'name');
