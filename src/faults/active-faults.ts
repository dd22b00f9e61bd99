import { apiError, invalidPayload } from '../errors.ts';
import type { FaultKind, FaultPlan } from '../kit/fault-plan.ts';
import type { Operation } from '../kit/operation.ts';
import { operationName } from '../kit/operation-name.ts';
import { ConfigError, keyPath, type YamlFile } from '../yaml-file.ts';
import { checkPlan } from './check-plan.ts';
import { PlanInForce } from './plan-in-force.ts';
import { type FaultyRequest, type OnFired, planHeader, RequestFaults } from './request-faults.ts';
import type { Rule } from './rule.ts';

/** A fault that took effect. */
export interface FiredFault {
  /** Counts on from 1 since the start of the server. */
  number: number;
  time: string;
  plan: string;
  rule: string;
  fault: FaultKind;
  project: string;
  operation: string;
  agent: string | null;
  requestId: string;
}

export interface ActiveFaultsOptions {
  /** Is told of every fault that took effect. */
  fired?(fault: FiredFault): void;
  now?(): Date;
}

const mostPlans = 1000;
const keptFired = 1000;

/** The fault plans in force. They are kept in memory, so that a restart ends every rehearsal. */
export class ActiveFaults {
  #operations: ReadonlySet<string> = new Set();
  readonly #options: ActiveFaultsOptions;
  readonly #plans = new Map<string, PlanInForce>();
  readonly #fired: FiredFault[] = [];
  #count = 0;
  /** Those without a token, for all projects; and for a project that some plan is about, with its own. */
  #everywhere: readonly PlanInForce[] = [];
  #byProject = new Map<string, PlanInForce[]>();
  #byToken = new Map<string, PlanInForce[]>();

  constructor(options: ActiveFaultsOptions = {}) {
    this.#options = options;
  }

  /** Tells which operations there are. Those of administration are spared, so that a plan can always be taken away. */
  serve(operations: readonly Operation[]): void {
    const struck = operations.filter(({ wire }) => wire !== 'admin');
    this.#operations = new Set(struck.map(operationName));
  }

  list(): PlanInForce[] {
    return [...this.#plans.values()];
  }

  get(name: string): PlanInForce {
    const plan = this.#plans.get(name);
    if (plan === undefined) throw notFoundHere(name);
    return plan;
  }

  /** Puts a plan in force, in the place of the one of its name; all its counters begin anew. */
  put(name: string, plan: FaultPlan): PlanInForce {
    const [first] = checkPlan(plan, (operation) => this.#operations.has(operation));
    if (first !== undefined) {
      const target = keyPath(first.path);
      throw invalidPayload(target, `Invalid value for '${target}': ${first.message}.`);
    }
    return this.#put(name, plan);
  }

  /** The same for a plan of a file: all that is wrong is told, with its places. */
  putFile(name: string, { content, fault }: YamlFile<FaultPlan>): void {
    const wrong = checkPlan(content, (operation) => this.#operations.has(operation));
    if (wrong.length > 0) throw new ConfigError(wrong.map(({ path, message }) => fault(path, message)));
    this.#put(name, content);
  }

  delete(name: string): void {
    if (!this.#plans.delete(name)) throw notFoundHere(name);
    this.#sort();
  }

  /** The faults that took effect, newest last; older ones than the last thousand are forgotten. */
  fired(): readonly FiredFault[] {
    return this.#fired;
  }

  /** What a request is to meet of plans that are in force for it. */
  meet(plans: readonly PlanInForce[], request: FaultyRequest): RequestFaults {
    return new RequestFaults(request, plans, this.#onFired);
  }

  /** The plans for a request; null where there is none. Refuses a token that no plan has. */
  inForce(project: string, token: string | undefined): readonly PlanInForce[] | null {
    const open = this.#byProject.get(project) ?? this.#everywhere;
    if (token === undefined) return open.length === 0 ? null : open;
    const own = (this.#byToken.get(token) ?? []).filter(
      ({ plan }) => plan.scope?.project === undefined || plan.scope.project === project,
    );
    if (own.length === 0) throw unknownToken();
    return [...open, ...own];
  }

  #put(name: string, plan: FaultPlan): PlanInForce {
    if (!this.#plans.has(name) && this.#plans.size >= mostPlans) {
      throw apiError('quota_exceeded', `There are ${mostPlans} fault plans; delete some first.`, {
        target: 'name',
        retry: false,
      });
    }
    const put = new PlanInForce(name, plan);
    this.#plans.set(name, put);
    this.#sort();
    return put;
  }

  #sort(): void {
    const plans = this.list();
    const open = plans.filter(({ plan }) => plan.scope?.token === undefined);
    this.#everywhere = open.filter(({ plan }) => plan.scope?.project === undefined);
    const projects = new Set(open.flatMap(({ plan }) => plan.scope?.project ?? []));
    this.#byProject = new Map(
      [...projects].map((project) => [
        project,
        open.filter(({ plan }) => (plan.scope?.project ?? project) === project),
      ]),
    );
    const withToken = plans.filter(({ plan }) => plan.scope?.token !== undefined);
    this.#byToken = Map.groupBy(withToken, ({ plan }) => plan.scope?.token as string);
  }

  readonly #onFired: OnFired = (plan: PlanInForce, rule: Rule, request: FaultyRequest) => {
    rule.fired++;
    const fired: FiredFault = {
      number: ++this.#count,
      time: (this.#options.now?.() ?? new Date()).toISOString(),
      plan: plan.name,
      rule: rule.given.name,
      fault: rule.given.fault,
      project: request.project,
      operation: operationName(request.operation),
      agent: request.agent,
      requestId: request.requestId,
    };
    this.#fired.push(fired);
    if (this.#fired.length > keptFired) this.#fired.shift();
    this.#options.fired?.(fired);
  };
}

const notFoundHere = (name: string) =>
  apiError('not_found', `There is no fault plan '${name.slice(0, 64)}'.`, { target: 'name' });

/** A test that believes in faults which nobody makes would pass for nothing. */
const unknownToken = () =>
  apiError(
    'invalid_parameter',
    `No fault plan is in force with this token for this project. An administrator puts one in force with ` +
      'PUT /admin/fault_plans/{name}; plans end with the server.',
    { target: planHeader, retry: false },
  );
