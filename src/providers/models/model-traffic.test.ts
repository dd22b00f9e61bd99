import { expect, test } from 'vitest';
import { type Config, loadConfig } from '../../config.ts';
import { deploymentLimitsConfig } from '../../config-rate-limits.ts';
import { trafficFigures } from '../../traffic/traffic-figures.ts';
import { type ModelCaller, patientCaller } from './caller.ts';
import type { ModelEvent, ModelProvider } from './model.ts';
import { createModelTraffic } from './model-traffic.ts';
import { collect, modelRequest, upstreamAt } from './testing/fake-upstream.ts';

const usage = { inputTokens: 10, cachedInputTokens: 0, outputTokens: 20, reasoningTokens: 0 };
const finish: ModelEvent = { type: 'finish', reason: 'stop', usage };
const never = new AbortController().signal;

function provider(
  events: () => AsyncIterable<ModelEvent> = once,
): Required<Pick<ModelProvider, 'generate'>> & ModelProvider {
  return {
    generate: events,
    countTokens: () => 10,
    async embed({ inputs }) {
      return { embeddings: inputs.map(() => [1]), inputTokens: 7 };
    },
    async forward() {
      return { kind: 'events', frames: frames() };
    },
  };
}

async function* once(): AsyncGenerator<ModelEvent> {
  yield { type: 'text', delta: 'Hi' };
  yield finish;
}

async function* frames() {
  yield 'a';
  yield 'b';
}

type Limits = Parameters<typeof deploymentLimitsConfig>[0];

function setUp(limits: Limits, rateLimits: Partial<Config['rateLimits']> = {}, own = provider()) {
  let clock = 1000;
  const figures = trafficFigures();
  const config = loadConfig({ file: null, environment: {} }).rateLimits;
  const traffic = createModelTraffic({
    ...figures,
    rateLimits: { ...config, ...rateLimits },
    now: () => clock,
  });
  const deployment = upstreamAt('http://127.0.0.1:1/v1', { name: 'mine' });
  const governed = traffic.govern({ ...deployment, limits: deploymentLimitsConfig(limits) }, own);
  const told: Record<string, string>[] = [];
  const caller = (project: string): ModelCaller => ({
    project,
    key: 'key',
    isPatient: false,
    told: (headers) => told.push(headers),
  });
  const call = async (by = caller('a'), request = modelRequest()) => {
    const events: ModelEvent[] = [];
    for await (const event of governed.generate?.(request, never, by) ?? []) events.push(event);
    return events;
  };
  return { governed, call, caller, told, figures, pass: (milliseconds: number) => (clock += milliseconds) };
}

const refused = (target: string, message: RegExp | string) =>
  expect.objectContaining({
    status: 429,
    code: 'rate_limit_exceeded',
    target: `deployments.mine.limits.${target}`,
    message: expect.stringMatching(message),
  });

test('requests come evenly: a part of the minute in a short stretch of it', async () => {
  const { call, told, pass } = setUp({ requestsPerMinute: 12 });
  await call();
  await call();
  expect(told).toEqual([
    {
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '1',
      'x-ratelimit-reset-requests': '10',
    },
    expect.objectContaining({ 'x-ratelimit-remaining-requests': '0' }),
  ]);
  await expect(call()).rejects.toEqual(
    refused(
      'requestsPerMinute',
      /^Deployment 'mine' takes 12 requests a minute from all projects together, evenly spread: 2 in 10 seconds;/,
    ),
  );
  pass(10_200);
  await call();
});

test('with a window of a minute they may come all at once', async () => {
  const { call, pass } = setUp({ requestsPerMinute: 3, windowSeconds: 60 });
  for (let i = 0; i < 3; i++) await call();
  const error = await call().catch((thrown) => thrown);
  expect(error).toEqual(refused('requestsPerMinute', 'takes 3 requests a minute'));
  expect(error.headers).toMatchObject({ 'retry-after-ms': '60000', 'retry-after': '60' });
  pass(60_200);
  await call();
});

test('tokens are estimated first and corrected by what was used', async () => {
  const { call, told, caller } = setUp({ tokensPerMinute: 1000 });
  await call(caller('a'), modelRequest({ maxOutputTokens: 900 }));
  expect(Number(told[0]?.['x-ratelimit-remaining-tokens'])).toBeLessThan(100);
  await call(caller('a'), modelRequest({ maxOutputTokens: 900 }));
  // 30 were used by the first call.
  expect(Number(told[1]?.['x-ratelimit-remaining-tokens'])).toBeGreaterThan(0);
  await expect(call(caller('a'), modelRequest({ maxOutputTokens: 1001 }))).rejects.toEqual(
    refused('tokensPerMinute', /this request alone comes to \d+ tokens\. Make it smaller/),
  );
});

test('a call that would be too much for the tokens of its project is refused', async () => {
  const { call, caller } = setUp(
    { requestsPerMinute: 1000, windowSeconds: 60 },
    { project: { requestsPerMinute: null, tokensPerMinute: 70, concurrency: null } },
  );
  const small = modelRequest({ maxOutputTokens: 10 });
  await call(caller('a'), small);
  await call(caller('a'), small);
  await expect(call(caller('a'), small)).rejects.toMatchObject({
    code: 'rate_limit_exceeded',
    target: 'rateLimits.project.tokensPerMinute',
  });
  await call(caller('b'), small);
});

test('calls at once: the next waits for its turn, beyond the queue it is refused', async () => {
  const gate = Promise.withResolvers<void>();
  const own = provider(async function* () {
    await gate.promise;
    yield finish;
  });
  const { governed, call, figures } = setUp({ concurrency: 1, queue: 1 }, {}, own);
  const first = call();
  const second = call();
  await expect(call()).rejects.toEqual(refused('concurrency', "Deployment 'mine' takes 1 calls at once"));
  expect(await figures.metrics.text()).toContain('bloomery_model_calls_waiting{deployment="mine"} 1');
  gate.resolve();
  expect([await first, await second]).toEqual([[finish], [finish]]);
  expect(await figures.metrics.text()).toContain('bloomery_model_calls{deployment="mine"} 0');
  expect(governed.embed).toBeDefined();
});

test('who is patient waits for the window, and goes on', async () => {
  const { call, pass } = setUp({ requestsPerMinute: 6000, windowSeconds: 1 });
  for (let i = 0; i < 100; i++) await call();
  await expect(call()).rejects.toMatchObject({ code: 'rate_limit_exceeded' });
  const waiting = call(patientCaller('a'));
  pass(1020);
  expect(await waiting).toHaveLength(2);
});

test('who is patient does not wait longer than is of use', async () => {
  const { call } = setUp({ requestsPerMinute: 1, windowSeconds: 60 }, { waitSeconds: 5 });
  await call(patientCaller('a'));
  await expect(call(patientCaller('a'))).rejects.toEqual(refused('requestsPerMinute', 'used up'));
});

test.each(['left early', 'failed', 'ended'])('a call that has %s leaves its place', async (how) => {
  const own = provider(async function* () {
    yield { type: 'text', delta: 'Hi' };
    if (how === 'failed') throw new Error('broken');
    yield finish;
  });
  const { governed, figures } = setUp({ concurrency: 1, queue: 0 }, {}, own);
  for (let i = 0; i < 3; i++) {
    const events = governed.generate?.(modelRequest(), never) as AsyncIterable<ModelEvent>;
    const read = async () => {
      for await (const _ of events) if (how === 'left early') break;
    };
    if (how === 'failed') await expect(read()).rejects.toThrow('broken');
    else await read();
  }
  const outcome = { 'left early': 'aborted', failed: 'failed', ended: 'completed' }[how];
  expect(await figures.metrics.text()).toContain(
    `bloomery_model_calls_total{deployment="mine",outcome="${outcome}"} 3`,
  );
});

test('a forwarded answer holds its place until it is read', async () => {
  const { governed, caller } = setUp({ concurrency: 1, queue: 0 });
  const request = { path: '/x', body: {}, input: 'input', answers: ['events'] as const };
  const answer = await governed.forward?.(request, never, caller('a'));
  await expect(governed.forward?.(request, never, caller('a'))).rejects.toMatchObject({ status: 429 });
  if (answer?.kind === 'events') for await (const _ of answer.frames);
  await governed.forward?.(request, never, caller('a'));
});

test('embeddings count, and are counted', async () => {
  const { governed, caller, figures } = setUp({ requestsPerMinute: 1, windowSeconds: 60 });
  const embed = () => governed.embed?.({ inputs: ['a'], dimensions: null }, never, caller('a'));
  expect((await embed())?.inputTokens).toBe(7);
  await expect(embed()).rejects.toMatchObject({ status: 429 });
  expect(await figures.metrics.text()).toContain(
    'bloomery_model_tokens_total{deployment="mine",kind="input"} 7',
  );
  expect(await figures.metrics.text()).toContain(
    'bloomery_limit_refusals_total{layer="deployment",unit="requests"} 1',
  );
});

test('without limits a provider is counted and can do what it could', async () => {
  const figures = trafficFigures();
  const { rateLimits } = loadConfig({ file: null, environment: {} });
  const traffic = createModelTraffic({ ...figures, rateLimits });
  const bare: ModelProvider = { generate: once, countTokens: () => 1 };
  const governed = traffic.govern(upstreamAt('http://127.0.0.1:1/v1', { name: 'mine' }), bare);
  expect([governed.embed, governed.forward]).toEqual([undefined, undefined]);
  expect(await collect(governed, modelRequest())).toHaveLength(2);
  const text = await figures.metrics.text();
  expect(text).toContain('bloomery_model_tokens_total{deployment="mine",kind="output"} 20');
});

test('one of 1,000 callers too many is refused, and no other', async () => {
  const { call, caller } = setUp({ requestsPerMinute: 999, windowSeconds: 60 });
  const outcomes = await Promise.allSettled(Array.from({ length: 1000 }, () => call(caller('a'))));
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(1);
});
