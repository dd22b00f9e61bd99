import type { Handlers } from '../../kit/operation.ts';
import type { ProjectScenarios } from '../../providers/models/builtin/scenarios/project-scenarios.ts';
import type { ProjectDirectory } from '../projects/index.ts';
import type { operations } from './contract.ts';

export function scenariosService(
  scenarios: ProjectScenarios,
  projects: Pick<ProjectDirectory, 'named' | 'granted'>,
): Handlers<typeof operations> {
  return {
    list: () => ({ value: scenarios.list() }),

    get: (_ctx, { params: { name } }) => scenarios.get(projects.named(name)),

    // What is for a project that its first use makes may be there before it.
    put: (_ctx, { params: { name }, body }) => scenarios.put(projects.granted(name, 'name'), body),

    delete(_ctx, { params: { name } }) {
      scenarios.delete(projects.named(name));
      return undefined;
    },
  };
}
