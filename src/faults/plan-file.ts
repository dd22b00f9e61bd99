import { FaultPlan } from '../kit/fault-plan.ts';
import { readYamlFile, type YamlFile } from '../yaml-file.ts';

/** The name of the plan that the server was started with. */
export const startPlan = 'start';

/** Throws a `ConfigError` that names each fault of its shape with line and key. */
export const readPlanFile = (file: string): YamlFile<FaultPlan> => readYamlFile<FaultPlan>(file, FaultPlan);
