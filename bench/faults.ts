/**
 * `node bench/faults.ts`: what fault plans cost a request, in µs of processor time: with none in force, with one of 20
 * rules that all are about the request, and with one of 20 rules that are about others.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ActiveFaults } from '../src/faults/active-faults.ts';
import type { Exchange } from '../src/http/exchange.ts';
import { faultStep } from '../src/http/faults.ts';
import type { FaultPlan } from '../src/kit/fault-plan.ts';
import { op } from '../src/kit/operation.ts';

const rules = 20;
const calls = 200_000;
const rounds = 9;

const path = '/responses';
const respond = op({ method: 'POST', path, summary: 'Respond', wire: 'openai', streams: true });
const list = op({ method: 'GET', path: '/agents', summary: 'List agents', wire: 'foundry' });

const headers: Record<string, string> = {};
const exchange = {
  project: 'default',
  requestId: 'a-request',
  url: '/api/projects/default/openai/v1/responses?api-version=v1',
  header: (name: string) => headers[name],
  answerHeaders() {},
} as unknown as Exchange;
const request = {
  exchange,
  params: { project: 'default' },
  body: { model: 'builtin', input: 'Hi', agent_reference: { name: 'travel' } },
} as unknown as FastifyRequest;
const reply = {} as FastifyReply;

/** No call is struck, so that matching is all there is. */
const plan = (match: object): FaultPlan => ({
  seed: 7,
  faults: Array.from({ length: rules }, (_, at) => ({
    name: `rule-${at}`,
    fault: 'status' as const,
    status: 503,
    match,
    when: { every: 1_000_000_000, probability: 0.5 },
  })),
});

async function microseconds(active: ActiveFaults): Promise<number> {
  const step = faultStep(active, 0);
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call++) {
    const struck = step.of(respond, request, reply, false);
    if (struck !== null) {
      await struck.before();
      await struck.after(null);
    }
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / calls;
}

async function median(given: FaultPlan | null): Promise<number> {
  const active = new ActiveFaults();
  active.serve([respond, list]);
  if (given !== null) active.put('bench', given);
  await microseconds(active);
  const all: number[] = [];
  for (let round = 0; round < rounds; round++) all.push(await microseconds(active));
  return Number((all.sort((a, b) => a - b)[Math.floor(rounds / 2)] as number).toFixed(3));
}

const matching = {
  operation: 'POST /openai/v1/responses',
  route: '/openai/v1/*',
  project: 'default',
  agent: 'travel',
};
const figures = {
  none_us: await median(null),
  matching_us: await median(plan(matching)),
  others_us: await median(plan({ operation: 'GET /agents' })),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
