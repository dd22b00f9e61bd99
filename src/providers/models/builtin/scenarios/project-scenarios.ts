import { apiError, invalidPayload } from '../../../../errors.ts';
import type { ScenarioFile } from '../../../../kit/scenario.ts';
import { keyPath } from '../../../../yaml-file.ts';
import { readScenarios, type Scenario } from './scenario.ts';

export interface ScenarioSet extends ScenarioFile {
  project: string;
}

interface Kept {
  given: ScenarioFile;
  scenarios: Scenario[];
  characters: number;
}

const mostCharacters = 64 * 1024 * 1024;

/** What the builtin model is to reply in single projects. In memory, like fault plans: a restart ends it. */
export class ProjectScenarios {
  readonly #sets = new Map<string, Kept>();
  readonly #most: number;

  constructor(most = mostCharacters) {
    this.#most = most;
  }

  list(): ScenarioSet[] {
    return [...this.#sets.keys()].sort().map((project) => this.get(project));
  }

  get(project: string): ScenarioSet {
    const kept = this.#sets.get(project);
    if (kept === undefined) throw noneThere(project);
    return { project, ...kept.given };
  }

  /** In the place of those that the project had. */
  put(project: string, given: ScenarioFile): ScenarioSet {
    const scenarios = readScenarios(given, (path, message) => {
      const target = keyPath(path);
      throw invalidPayload(target, `Invalid value for '${target}': ${message}.`);
    });
    const characters = JSON.stringify(given).length;
    const others = [...this.#sets].filter(([name]) => name !== project).map(([, kept]) => kept.characters);
    if (others.reduce((sum, size) => sum + size, characters) > this.#most) throw full();
    this.#sets.set(project, { given, scenarios, characters });
    return this.get(project);
  }

  delete(project: string): void {
    if (!this.#sets.delete(project)) throw noneThere(project);
  }

  /** The project is gone, and the next of its name has none of this. */
  forget(project: string): void {
    this.#sets.delete(project);
  }

  of(project: string): readonly Scenario[] {
    return this.#sets.get(project)?.scenarios ?? [];
  }
}

const noneThere = (project: string) =>
  apiError(
    'not_found',
    `The project '${project.slice(0, 64)}' has no scenarios of its own. Put some in force with PUT /admin/scenarios/{name}; they end with the server.`,
    { target: 'name' },
  );

const full = () =>
  apiError(
    'quota_exceeded',
    'The scenarios of all projects together are too large to be kept; delete those of some projects first.',
    { target: 'scenarios', retry: false },
  );
