import type { FaultKind, FaultPlan } from '../kit/fault-plan.ts';
import type { Operation } from '../kit/operation.ts';
import { operationName } from '../kit/operation-name.ts';
import { Rule } from './rule.ts';

/** The rules that an operation can meet, by what they strike. */
export interface RulesOfOperation {
  request: readonly Rule[];
  model: readonly Rule[];
  tool: readonly Rule[];
}

const struckBy: Partial<Record<FaultKind, keyof RulesOfOperation>> = {
  model_failure: 'model',
  tool_timeout: 'tool',
};
const ofStreams: ReadonlySet<FaultKind> = new Set(['cut_stream', 'malformed_event']);
const readingMethods = new Set(['GET', 'DELETE']);

/** A plan with its counters. Rules are sorted by operation once, at its first request. */
export class PlanInForce {
  readonly name: string;
  readonly plan: FaultPlan;
  readonly rules: readonly Rule[];
  readonly #byOperation = new Map<Operation, RulesOfOperation>();

  constructor(name: string, plan: FaultPlan) {
    this.name = name;
    this.plan = plan;
    this.rules = plan.faults.map((rule) => new Rule(rule, plan.seed ?? 0));
  }

  rulesOf(operation: Operation): RulesOfOperation {
    let rules = this.#byOperation.get(operation);
    if (rules === undefined) {
      rules = sorted(this.rules, operation);
      this.#byOperation.set(operation, rules);
    }
    return rules;
  }
}

function sorted(rules: readonly Rule[], operation: Operation): RulesOfOperation {
  const name = operationName(operation);
  const met = rules.filter((rule) => {
    const { fault } = rule.given;
    if (rule.operation !== null && rule.operation !== name) return false;
    if (ofStreams.has(fault) && operation.streams !== true) return false;
    return fault !== 'storage_full' || !readingMethods.has(operation.method);
  });
  const strike = (what: keyof RulesOfOperation) =>
    met.filter(({ given }) => (struckBy[given.fault] ?? 'request') === what);
  return { request: strike('request'), model: strike('model'), tool: strike('tool') };
}

export const isOfStreams = ({ given }: Rule): boolean => ofStreams.has(given.fault);
