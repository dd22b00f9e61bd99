import type { CallFaults, ModelFault, ToolFault } from '../kit/call-faults.ts';
import type { FaultRule } from '../kit/fault-plan.ts';
import type { Operation } from '../kit/operation.ts';
import { isOfStreams, type PlanInForce } from './plan-in-force.ts';
import type { Rule, StruckCall } from './rule.ts';

export const faultHeader = 'x-bloomery-fault';
export const planHeader = 'x-bloomery-fault-plan';

/** A request below a project, as plans see it. */
export interface FaultyRequest extends StruckCall {
  readonly operation: Operation;
  readonly requestId: string;
  /** Whether it asks for a stream. */
  readonly isStream: boolean;
  /** Adds headers to its answer, as long as that has not begun. */
  answerHeaders(headers: Record<string, string>): void;
}

/** Is told of every fault that takes effect. */
export type OnFired = (plan: PlanInForce, rule: Rule, request: FaultyRequest) => void;

interface Met {
  plan: PlanInForce;
  rule: Rule;
}

/** What the plans in force do to one request, and to the calls it leads to. */
export class RequestFaults implements CallFaults {
  readonly #request: FaultyRequest;
  readonly #plans: readonly PlanInForce[];
  readonly #onFired: OnFired;
  readonly #met: Met[] = [];
  #marks = '';

  constructor(request: FaultyRequest, plans: readonly PlanInForce[], onFired: OnFired) {
    this.#request = request;
    this.#plans = plans;
    this.#onFired = onFired;
    request.answerHeaders({ [planHeader]: plans.map(({ name }) => name).join(', ') });
    for (const plan of plans) {
      for (const rule of plan.rulesOf(request.operation).request) {
        if (isOfStreams(rule) && !request.isStream) continue;
        if (rule.matches(request) && rule.strikes()) this.#met.push({ plan, rule });
      }
    }
  }

  /** The first fault of a kind that the request meets: it takes effect now. */
  take(isWanted: (rule: FaultRule) => boolean): FaultRule | null {
    const at = this.#met.findIndex(({ rule }) => isWanted(rule.given));
    if (at < 0) return null;
    const [{ plan, rule }] = this.#met.splice(at, 1) as [Met];
    this.#fire(plan, rule);
    return rule.given;
  }

  /** Whether it meets no fault, or none any more. */
  get isSpared(): boolean {
    return this.#met.length === 0;
  }

  modelCall(deployment: string): ModelFault | null {
    const rule = this.#strike('model', (one) => one.match?.deployment ?? deployment, deployment);
    if (rule === null) return null;
    const { status = 500, retryAfterSeconds = null, event = 0 } = rule;
    return { status, retryAfterSeconds, afterEvents: event };
  }

  toolCall(type: string): ToolFault | null {
    const rule = this.#strike('tool', (one) => one.match?.tool ?? type, type);
    return rule === null ? null : { milliseconds: rule.milliseconds ?? 0 };
  }

  /** All rules count the call; the first of those that strike has its effect. */
  #strike(what: 'model' | 'tool', wanted: (rule: FaultRule) => string, called: string): FaultRule | null {
    let struck: Met | null = null;
    for (const plan of this.#plans) {
      for (const rule of plan.rulesOf(this.#request.operation)[what]) {
        if (wanted(rule.given) !== called || !rule.matches(this.#request)) continue;
        if (rule.strikes()) struck ??= { plan, rule };
      }
    }
    if (struck === null) return null;
    this.#fire(struck.plan, struck.rule);
    return struck.rule.given;
  }

  #fire(plan: PlanInForce, rule: Rule): void {
    this.#marks += this.#marks === '' ? rule.given.name : `, ${rule.given.name}`;
    this.#request.answerHeaders({ [faultHeader]: this.#marks });
    this.#onFired(plan, rule, this.#request);
  }
}
