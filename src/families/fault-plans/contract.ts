import Type, { type Static } from 'typebox';
import { FaultPlan, FaultRule, FaultScope, faultKinds, planName } from '../../kit/fault-plan.ts';
import { op } from '../../kit/operation.ts';
import { OneOf } from '../../kit/schema.ts';

const byName = Type.Object({ name: Type.String({ pattern: planName.source }) });

export const PlanInForce = Type.Object({
  name: Type.String(),
  seed: Type.Integer(),
  scope: FaultScope,
  faults: Type.Array(FaultRule),
  counts: Type.Array(
    Type.Object({
      rule: Type.String(),
      matched: Type.Integer({ description: 'Calls that the rule was meant for.' }),
      fired: Type.Integer({ description: 'Those of them that it struck.' }),
    }),
  ),
});
export type PlanInForce = Static<typeof PlanInForce>;

export const FiredFault = Type.Object({
  number: Type.Integer({ description: 'Counts on from 1 since the start of the server.' }),
  time: Type.String(),
  plan: Type.String(),
  rule: Type.String(),
  fault: OneOf(...faultKinds),
  project: Type.String(),
  operation: Type.String(),
  agent: Type.Union([Type.String(), Type.Null()]),
  requestId: Type.String(),
});

export const operations = {
  list: op({
    method: 'GET',
    path: '/fault_plans',
    summary: 'List the fault plans in force',
    wire: 'admin',
    result: Type.Object({ value: Type.Array(PlanInForce) }),
  }),
  get: op({
    method: 'GET',
    path: '/fault_plans/{name}',
    summary: 'Get a fault plan, and what it has done',
    wire: 'admin',
    params: byName,
    result: PlanInForce,
  }),
  put: op({
    method: 'PUT',
    path: '/fault_plans/{name}',
    summary: 'Put a fault plan in force',
    wire: 'admin',
    params: byName,
    body: FaultPlan,
    result: PlanInForce,
  }),
  delete: op({
    method: 'DELETE',
    path: '/fault_plans/{name}',
    summary: 'End a fault plan',
    wire: 'admin',
    params: byName,
    status: 204,
  }),
  fired: op({
    method: 'GET',
    path: '/faults',
    summary: 'List the faults that fault plans have caused',
    wire: 'admin',
    query: Type.Object({
      plan: Type.Optional(Type.String()),
      rule: Type.Optional(Type.String()),
      after: Type.Optional(Type.Integer({ minimum: 0, description: 'Only those with a larger number.' })),
    }),
    result: Type.Object({ value: Type.Array(FiredFault) }),
  }),
};
