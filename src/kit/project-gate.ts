import { type ApiError, apiError } from '../errors.ts';

/** Something that is being done in a project, and can be told to end. */
export interface ProjectWork {
  interrupt(reason: ApiError): void;
}

/** Lets requests into projects. */
export interface ProjectGate {
  /**
   * The project of that name, as a request has it in its path. Throws `not_found` for none; a project that is made by
   * its first use, where the caller may make one, is waited for. Whoever is let in leaves.
   */
  enter(name: string, work: ProjectWork, mayMake: () => boolean): string | Promise<string>;
  leave(project: string, work: ProjectWork): void;
  /** The name of the project that is meant, whether there is one or not. */
  named(name: string): string;
}

/** The name by which the default project can be called, too. */
export const defaultProject = '_project';

export const noSuchProject = (name: string): ApiError =>
  apiError(
    'not_found',
    `No project '${name.slice(0, 128)}' is served here. Make it with \`bloomery project create\`, or add it to the configuration.`,
    { target: 'project' },
  );

/** Lets into these and no others; the first is the default one. */
export function fixedProjects(names: readonly string[]): ProjectGate {
  const named = namedProject(names[0]);
  return {
    named,
    enter(name) {
      const project = named(name);
      if (!names.includes(project)) throw noSuchProject(name);
      return project;
    },
    leave() {},
  };
}

/** Knows the default project by its other name. */
export const namedProject =
  (first: string | undefined) =>
  (name: string): string =>
    name === defaultProject ? (first ?? name) : name;
