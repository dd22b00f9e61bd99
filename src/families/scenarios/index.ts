import { type Family, family } from '../../kit/operation.ts';
import type { ProjectScenarios } from '../../providers/models/builtin/scenarios/project-scenarios.ts';
import type { ProjectDirectory } from '../projects/index.ts';
import { operations } from './contract.ts';
import { scenariosService } from './service.ts';

export const scenariosFamily = (scenarios: ProjectScenarios, projects: ProjectDirectory): Family =>
  family('scenarios', operations, scenariosService(scenarios, projects));
