import { randomUUID } from 'node:crypto';
import { type Client, createClient } from '../client/index.ts';
import type { FaultPlan, FaultRule } from '../kit/fault-plan.ts';
import type { ScenarioEntry } from '../kit/scenario.ts';
import { type Credential, serverCredential } from './credential.ts';
import { projectVariables, type Variables } from './variables.ts';

/** A fault as a plan has it; its name may be left out. */
export type Fault = Omit<FaultRule, 'name'> & { name?: string };

/** A fault that has struck. */
export interface StruckFault {
  rule: string;
  fault: FaultRule['fault'];
  operation: string;
  agent: string | null;
  requestId: string;
}

/** A project of a test's own. */
export interface Project extends AsyncDisposable {
  readonly name: string;
  readonly endpoint: string;
  readonly key: string;
  /** The variables that official clients read, for this project. */
  readonly environment: Variables;
  readonly client: Client;
  /** For `AIProjectClient`. */
  readonly credential: Credential;
  /** Another project that has all that this one has now. */
  fork(name?: string): Promise<Project>;
  /** Brings it back to what its origin has, or to nothing; ends its faults and scenarios. */
  reset(): Promise<void>;
  /** Has these faults strike requests to this project, in the place of those before; none end them. */
  faults(faults: readonly Fault[], plan?: Pick<FaultPlan, 'seed'>): Promise<void>;
  /** The faults that have struck so far, oldest first. */
  struck(): Promise<StruckFault[]>;
  /** Scripts what the builtin model replies in this project, in the place of what was scripted before; none end it. */
  scenarios(scenarios: readonly ScenarioEntry[]): Promise<void>;
  /** Deletes it with all that is in it. */
  delete(): Promise<void>;
}

export function projectOf(
  server: { client: Client; environment: Variables },
  made: { name: string; url: string },
): Project {
  const { client: admin } = server;
  const { name, url: endpoint } = made;
  const environment = projectVariables(server.environment, endpoint);
  const { IDENTITY_ENDPOINT, IDENTITY_HEADER, FOUNDRY_PROJECT_API_KEY: key } = environment;
  const byName = { params: { name } };
  let [hasFaults, hasScenarios, isDeleted] = [false, false, false];

  const endFaults = async (): Promise<void> => {
    if (!hasFaults) return;
    await admin.faultPlans.delete(byName);
    hasFaults = false;
  };
  const endScenarios = async (): Promise<void> => {
    if (!hasScenarios) return;
    await admin.scenarios.delete(byName);
    hasScenarios = false;
  };
  const remove = async (): Promise<void> => {
    if (isDeleted) return;
    isDeleted = true;
    await endFaults();
    await admin.projects.delete(byName);
  };

  return {
    name,
    endpoint,
    key,
    environment,
    client: createClient({ endpoint, credential: { key } }),
    credential: serverCredential({ endpoint: IDENTITY_ENDPOINT, secret: IDENTITY_HEADER }),

    async fork(to = freshName()) {
      return projectOf(server, await admin.projects.fork({ ...byName, body: { name: to } }));
    },

    async reset() {
      await Promise.all([endFaults(), endScenarios()]);
      await admin.projects.reset(byName);
    },

    async faults(given, plan = {}) {
      if (given.length === 0) return endFaults();
      const faults = given.map((fault, at) => ({ name: `${fault.fault}-${at + 1}`, ...fault }));
      await admin.faultPlans.put({ ...byName, body: { ...plan, scope: { project: name }, faults } });
      hasFaults = true;
    },

    async struck() {
      const { value } = await admin.faultPlans.fired({ query: { plan: name } });
      return value.map(({ rule, fault, operation, agent, requestId }) => ({
        ...{ rule, fault, operation, agent, requestId },
      }));
    },

    async scenarios(scenarios) {
      if (scenarios.length === 0) return endScenarios();
      await admin.scenarios.put({ ...byName, body: { scenarios: [...scenarios] } });
      hasScenarios = true;
    },

    delete: remove,
    [Symbol.asyncDispose]: remove,
  };
}

export const freshName = (): string => `test-${randomUUID()}`;
