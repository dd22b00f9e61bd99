import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import type { FaultPlan, FaultRule } from '../kit/fault-plan.ts';
import { op } from '../kit/operation.ts';
import { ActiveFaults } from './active-faults.ts';
import { readPlanFile } from './plan-file.ts';
import { Rule } from './rule.ts';

const directory = mkdtempSync(join(tmpdir(), 'bloomery-faults-'));
afterAll(() => rmSync(directory, { recursive: true }));

const list = op({ method: 'GET', path: '/agents', summary: 'List agents', wire: 'foundry' });
const respond = op({ method: 'POST', path: '/responses', summary: 'Respond', wire: 'openai', streams: true });

function faults(plan: FaultPlan) {
  const active = new ActiveFaults();
  active.serve([list, respond]);
  active.put('p', plan);
  return active;
}

/** Which of so many calls are struck. */
function sequence(plan: FaultPlan, rule: string, callsOfOperations: (typeof list | typeof respond)[]) {
  const active = faults(plan);
  for (const operation of callsOfOperations) {
    const plans = active.inForce('default', undefined) ?? [];
    const met = active.meet(plans, {
      operation,
      project: 'default',
      agent: null,
      path: '/',
      isStream: false,
      requestId: 'r',
      answerHeaders() {},
    });
    while (met.take(() => true) !== null);
  }
  return active.fired().filter((one) => one.rule === rule).length;
}

const calls = (when: FaultRule['when'], count = 12) => {
  const rule = new Rule({ name: 'r', fault: 'reset', ...(when && { when }) }, 0);
  return Array.from({ length: count }, (_, at) => (rule.strikes() ? at + 1 : 0)).filter((n) => n > 0);
};

test('calls are struck by number', () => {
  expect(calls(undefined, 3)).toEqual([1, 2, 3]);
  expect(calls({ nth: 3 })).toEqual([3]);
  expect(calls({ first: 2 })).toEqual([1, 2]);
  expect(calls({ after: 10 })).toEqual([11, 12]);
  expect(calls({ after: 2, first: 3 })).toEqual([3, 4, 5]);
  expect(calls({ every: 5 })).toEqual([5, 10]);
  expect(calls({ after: 1, every: 4 })).toEqual([5, 9]);
  expect(calls({ probability: 0 })).toEqual([]);
  expect(calls({ probability: 1, nth: 4 })).toEqual([4]);
});

test('the same seed gives the same sequence, whatever else is asked meanwhile', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4_294_967_295 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.array(fc.boolean(), { maxLength: 60 }),
      (seed, probability, others) => {
        const chance = { when: { probability } };
        const rule = {
          name: 'r',
          fault: 'status',
          status: 500,
          ...chance,
          match: { operation: 'GET /agents' },
        } as const;
        const noise = { ...rule, name: 'noise', match: { operation: 'POST /openai/v1/responses' } };
        const mixed = others.map((isOther) => (isOther ? respond : list));
        const alone = mixed.filter((operation) => operation === list);
        expect(sequence({ seed, faults: [noise, rule] }, 'r', mixed)).toBe(
          sequence({ seed, faults: [rule] }, 'r', alone),
        );
        const draw = () => {
          const drawn = new Rule(rule, seed);
          return others.map(() => drawn.strikes());
        };
        expect(draw()).toEqual(draw());
      },
    ),
  ));

test('other seeds and other names give other sequences, about as often as asked', () => {
  const drawn = (name: string, seed: number) => {
    const rule = new Rule({ name, fault: 'reset', when: { probability: 0.3 } }, seed);
    return Array.from({ length: 2000 }, () => rule.strikes());
  };
  const share = drawn('a', 1).filter(Boolean).length / 2000;
  expect(share).toBeGreaterThan(0.25);
  expect(share).toBeLessThan(0.35);
  expect(drawn('a', 1)).not.toEqual(drawn('a', 2));
  expect(drawn('a', 1)).not.toEqual(drawn('b', 1));
});

test('routes match as a whole, with * for any text and everything else for itself', () => {
  const matches = (route: string, path: string) =>
    new Rule({ name: 'r', fault: 'reset', match: { route } }, 0).matches({ project: '', agent: null, path });
  expect(matches('/openai/v1/responses/*', '/openai/v1/responses/a/b')).toBe(true);
  expect(matches('/openai/v1/responses', '/openai/v1/responses/a')).toBe(false);
  expect(matches('/a.b', '/axb')).toBe(false);
  expect(matches('/agents/*:enable', '/agents/x:enable')).toBe(true);
});

function fileFaults(text: string): string[] {
  const file = join(directory, 'plan.yaml');
  writeFileSync(file, text);
  const active = new ActiveFaults();
  active.serve([list, respond]);
  try {
    active.putFile('start', readPlanFile(file));
  } catch (error) {
    return (error as Error).message.split('\n').map((line) => line.slice(file.length + 1));
  }
  return [];
}

test('a plan file is read; what is wrong is named by line and key', () => {
  expect(fileFaults('seed: 7\nfaults:\n  - name: busy\n    fault: status\n    status: 429\n')).toEqual([]);
  expect(
    fileFaults(
      'faults:\n  - name: busy\n    fault: status\n    satus: 429\n  - name: x\n    fault: explode\n',
    ),
  ).toEqual([
    expect.stringMatching(/^4:5: faults\[0\]\.satus: unknown key/),
    expect.stringMatching(/^6:12: faults\[1\]\.fault: must be one of status, latency/),
  ]);
  expect(
    fileFaults(
      'faults:\n  - name: a\n    fault: cut_stream\n  - name: a\n    fault: reset\n    status: 500\n    match:\n      operation: GET /agent\n',
    ),
  ).toEqual([
    expect.stringMatching(/^2:5: faults\[0\]: the key 'event' is missing/),
    expect.stringMatching(/^6:13: faults\[1\]\.status: has no meaning for the fault 'reset'/),
    expect.stringMatching(/^8:18: faults\[1\]\.match\.operation: 'GET \/agent' is no operation/),
    expect.stringMatching(/^4:11: faults\[1\]\.name: another fault is named 'a'/),
  ]);
});

test('fired faults are kept up to a bound, the newest of them', () => {
  const active = faults({ faults: [{ name: 'r', fault: 'status', status: 500 }] });
  const plans = active.inForce('default', undefined) ?? [];
  for (let n = 0; n < 1005; n++) {
    const request = { operation: list, project: 'default', agent: null, path: '/', isStream: false };
    active.meet(plans, { ...request, requestId: String(n), answerHeaders() {} }).take(() => true);
  }
  expect(active.fired()).toHaveLength(1000);
  expect(active.fired().at(-1)).toMatchObject({ number: 1005, requestId: '1004' });
});
