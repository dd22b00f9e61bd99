import type { FaultKind, FaultPlan, FaultRule } from '../kit/fault-plan.ts';
import type { KeyPath } from '../yaml-file.ts';

export interface PlanFault {
  path: KeyPath;
  message: string;
}

type Setting = 'status' | 'retryAfterSeconds' | 'milliseconds' | 'event' | 'at';

/** What each kind cannot do without, and what else it takes. */
const settings: Record<FaultKind, { needs: Setting[]; takes: Setting[] }> = {
  status: { needs: ['status'], takes: ['retryAfterSeconds'] },
  latency: { needs: ['milliseconds'], takes: [] },
  slow_first_byte: { needs: ['milliseconds'], takes: [] },
  reset: { needs: [], takes: ['at'] },
  cut_stream: { needs: ['event'], takes: [] },
  malformed_event: { needs: ['event'], takes: [] },
  model_failure: { needs: [], takes: ['status', 'retryAfterSeconds', 'event'] },
  tool_timeout: { needs: [], takes: ['milliseconds'] },
  storage_full: { needs: [], takes: [] },
};
const allSettings: Setting[] = ['status', 'retryAfterSeconds', 'milliseconds', 'event', 'at'];
const ofOneKind = { deployment: 'model_failure', tool: 'tool_timeout' } as const;

/** What is wrong with a plan although its shape is right. */
export function checkPlan(plan: FaultPlan, isOperation: (name: string) => boolean): PlanFault[] {
  const names = new Set<string>();
  return plan.faults.flatMap((rule, at) => {
    const path = ['faults', at];
    const faults = [...checkSettings(rule, path), ...checkMatch(rule, path, isOperation)];
    if (names.has(rule.name)) {
      faults.push({ path: [...path, 'name'], message: `another fault is named '${rule.name}'` });
    }
    names.add(rule.name);
    return faults;
  });
}

function checkSettings(rule: FaultRule, path: KeyPath): PlanFault[] {
  const { needs, takes } = settings[rule.fault];
  const missing = needs
    .filter((key) => rule[key] === undefined)
    .map((key) => ({ path, message: `the key '${key}' is missing; the fault '${rule.fault}' needs it` }));
  const known = [...needs, ...takes];
  const strange = allSettings
    .filter((key) => rule[key] !== undefined && !known.includes(key))
    .map((key) => ({ path: [...path, key], message: `has no meaning for the fault '${rule.fault}'` }));
  const isZeroth = rule.fault === 'malformed_event' && rule.event === 0;
  return [
    ...missing,
    ...strange,
    ...(isZeroth ? [{ path: [...path, 'event'], message: 'must be 1 for the first event, or more' }] : []),
  ];
}

function checkMatch(
  { fault, match = {} }: FaultRule,
  path: KeyPath,
  isOperation: (name: string) => boolean,
): PlanFault[] {
  const faults: PlanFault[] = [];
  const complain = (key: string, message: string) => faults.push({ path: [...path, 'match', key], message });
  for (const key of ['deployment', 'tool'] as const) {
    if (match[key] !== undefined && ofOneKind[key] !== fault) {
      complain(key, `has a meaning for the fault '${ofOneKind[key]}' only`);
    }
  }
  if (match.operation !== undefined && !isOperation(match.operation)) {
    complain(
      'operation',
      `'${match.operation}' is no operation of a project; they are named like 'POST /openai/v1/responses' and ` +
        "'GET /agents/{agent_name}' (docs/coverage.md)",
    );
  }
  return faults;
}
