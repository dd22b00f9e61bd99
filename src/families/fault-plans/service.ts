import type { ActiveFaults } from '../../faults/active-faults.ts';
import type { PlanInForce as Kept } from '../../faults/plan-in-force.ts';
import type { Handlers } from '../../kit/operation.ts';
import type { operations, PlanInForce } from './contract.ts';

export function faultPlansService(faults: ActiveFaults): Handlers<typeof operations> {
  return {
    list: () => ({ value: faults.list().map(shown) }),

    get: (_ctx, { params: { name } }) => shown(faults.get(name)),

    put: (_ctx, { params: { name }, body }) => shown(faults.put(name, body)),

    delete(_ctx, { params: { name } }) {
      faults.delete(name);
      return undefined;
    },

    fired: (_ctx, { query: { plan, rule, after = 0 } }) => ({
      value: faults
        .fired()
        .filter(
          (fault) =>
            fault.number > after &&
            (plan ?? fault.plan) === fault.plan &&
            (rule ?? fault.rule) === fault.rule,
        ),
    }),
  };
}

const shown = ({ name, plan: { seed = 0, scope = {}, faults }, rules }: Kept): PlanInForce => ({
  name,
  seed,
  scope,
  faults,
  counts: rules.map(({ given, matched, fired }) => ({ rule: given.name, matched, fired })),
});
