import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { failureCodes, ScenarioReply, When } from '../../../../kit/scenario.ts';
import { ConfigError } from '../../../../yaml-file.ts';
import { modelRequest } from '../../testing/fake-upstream.ts';
import { countTextTokens } from '../../token-count.ts';
import { createBuiltinModel, loadScenarios, type Scenario } from '../index.ts';
import { answered, ask, system, tool, user } from '../testing/ask.ts';

const directory = mkdtempSync(join(tmpdir(), 'bloomery-scenarios-'));
const file = join(directory, 'scenarios.yaml');
afterAll(() => rmSync(directory, { recursive: true }));

function load(text: string): Scenario[] {
  writeFileSync(file, text);
  return loadScenarios(file);
}

const scripted = (reply: string, when = 'input: go'): Scenario[] =>
  load(`scenarios:\n  - when: { ${when} }\n    reply: ${reply}\n`);

const guide = readFileSync(new URL('../../../../../docs/guide/builtin-model.md', import.meta.url), 'utf8');

describe("the guide's example", () => {
  const example = /<!-- example: scenarios\.yaml -->\s*```yaml\n([\s\S]*?)```/.exec(guide)?.[1] ?? '';
  const scenarios = load(example);
  const order = tool('get_order', 'Get an order', { order_id: { type: 'string' } });
  const asked = user('Where is order 1001?');

  test('calls the tool, and goes by what it returned', async () => {
    const { calls, finish } = await ask([asked], { tools: [order] }, scenarios);
    expect(calls).toMatchObject([{ name: 'get_order', arguments: '{"order_id":"A-1001"}' }]);
    expect(finish.reason).toBe('tool_calls');
    const shipped = [asked, ...answered('get_order', '{"state":"Shipped"}')];
    expect((await ask(shipped, { tools: [order] }, scenarios)).text).toBe('Your order is on its way.');
    const nothing = [asked, ...answered('get_order', '{}')];
    expect((await ask(nothing, { tools: [order] }, scenarios)).text).toBe('{"found":false}');
    expect((await ask([asked], {}, scenarios)).text).toContain("Bloomery's builtin model");
  });

  test('streams the chunks as they are, with the usage given', async () => {
    const { events, reasoning, finish } = await ask('Tell me a STORY', {}, scenarios);
    expect(reasoning).toBe('A story is wanted.');
    const deltas = events.flatMap((event) => (event.type === 'text' ? [event.delta] : []));
    expect(deltas).toEqual(['Once ', 'upon ', 'a time.']);
    const reasoningTokens = await countTextTokens(['A story is wanted.']);
    expect(finish.usage).toEqual({ inputTokens: 10, cachedInputTokens: 0, outputTokens: 3, reasoningTokens });
  });

  test('fails at once and mid-stream', async () => {
    await expect(ask('rush hour', {}, scenarios)).rejects.toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
      message: 'Slow down.',
      headers: { 'retry-after': '7' },
    });
    const { generate } = createBuiltinModel({ scenarios });
    const pieces: unknown[] = [];
    const run = async () => {
      const request = modelRequest({ messages: [user('flaky')] });
      for await (const event of generate(request, new AbortController().signal)) pieces.push(event);
    };
    await expect(run()).rejects.toMatchObject({ code: 'model_error', status: 502 });
    expect(pieces).toEqual([
      { type: 'text', delta: 'This' },
      { type: 'text', delta: ' will' },
    ]);
  });

  test('refuses on the second turn only', async () => {
    const strict = system('Be strict.');
    expect((await ask([strict, user('a')], {}, scenarios)).refusal).toBe('');
    const second = await ask([strict, user('a'), user('b')], {}, scenarios);
    expect(second).toMatchObject({
      refusal: 'I cannot help with that.',
      finish: { reason: 'content_filter' },
    });
  });
});

test('the guide documents every key and code', () => {
  const keys = [...Object.keys(When.properties), ...Object.keys(ScenarioReply.properties)];
  for (const key of keys) expect(guide).toContain(`| \`${key}\``);
  for (const code of failureCodes) expect(guide).toContain(`\`${code}\``);
});

test('the first match wins, and a scenario without `when` always matches', async () => {
  const scenarios = load(
    'scenarios:\n  - { when: { input: "/^a.c$/i" }, reply: { text: one } }\n  - reply: { text: two }\n',
  );
  expect((await ask('ABC', {}, scenarios)).text).toBe('one');
  expect((await ask('ABCD', {}, scenarios)).text).toBe('two');
});

test('an empty list is a file like any other', () => {
  expect(load('scenarios: []')).toEqual([]);
});

test.each([
  ['{ fail: { status: 500 } }', 'model_error', 502],
  ['{ fail: { status: 504 } }', 'service_unavailable', 503],
  ['{ fail: { code: content_filter } }', 'content_filter', 400],
  ['{ fail: { status: 400, code: context_length_exceeded } }', 'context_length_exceeded', 400],
  ['{ text: short, fail: { status: 503 }, fail_after_chunks: 9 }', 'service_unavailable', 503],
])('%s fails with %s', async (reply, code, status) => {
  await expect(ask('go', {}, scripted(reply))).rejects.toMatchObject({ code, status });
});

test('malformed arguments, own ids and a text before the calls', async () => {
  const reply = '{ text: Wait., tool_calls: [{ name: a, arguments: "{oops", id: my_id }, { name: b }] }';
  const { text, calls } = await ask('go', {}, scripted(reply));
  expect(text).toBe('Wait.');
  expect(calls).toEqual([
    { id: 'my_id', name: 'a', arguments: '{oops' },
    { id: expect.stringMatching(/^call_/), name: 'b', arguments: '{}' },
  ]);
});

test('the limits of the request hold for scripted replies', async () => {
  const scenarios = scripted('{ chunks: ["one two", " three four", " five"] }');
  const cut = await ask('go', { maxOutputTokens: 3 }, scenarios);
  expect(cut).toMatchObject({
    text: 'one two three',
    finish: { reason: 'length', usage: { outputTokens: 3 } },
  });
  expect((await ask('go', { stop: ['four'] }, scenarios)).text).toBe('one two three ');
});

test('an abort ends a delay with its reason', async () => {
  const { generate } = createBuiltinModel({ scenarios: scripted('{ text: late, delay_ms: 60000 }') });
  const controller = new AbortController();
  const reason = new Error('gone');
  const request = modelRequest({ messages: [user('go')] });
  const running = Array.fromAsync(generate(request, controller.signal));
  setTimeout(() => controller.abort(reason), 10);
  await expect(running).rejects.toBe(reason);
});

describe('faults say where and what', () => {
  const entry = (text: string) => `scenarios:\n  - ${text}\n`;
  test.each([
    ['', "1:1: the key 'scenarios' is missing"],
    [
      entry('when: { inputs: a }\n    reply: { text: a }'),
      '2:13: scenarios[0].when.inputs: unknown key; known here are input,',
    ],
    [entry('when: { input: a }'), "2:5: scenarios[0]: the key 'reply' is missing"],
    [entry('reply: { text: 1 }'), '2:20: scenarios[0].reply.text: must be a text'],
    [entry('reply: { text: a, refusal: b }'), "2:32: scenarios[0].reply.refusal: cannot stand beside 'text'"],
    [entry('reply: { delay_ms: 5 }'), '2:12: scenarios[0].reply: needs one of text, json'],
    [entry('reply: { text: a, delay_ms: 60001 }'), '2:33: scenarios[0].reply.delay_ms: must be <= 60000'],
    [
      entry('reply: { text: a, fail_after_chunks: 1 }'),
      "2:42: scenarios[0].reply.fail_after_chunks: has no meaning without 'fail'",
    ],
    [entry('reply: { fail: { message: a } }'), "2:20: scenarios[0].reply.fail: needs a 'status' or a 'code'"],
    [entry('reply: { fail: { status: 400 } }'), "2:20: scenarios[0].reply.fail: needs a 'code'"],
    [
      entry('reply: { fail: { status: 418 } }'),
      '2:30: scenarios[0].reply.fail.status: must be one of 400, 429',
    ],
    [
      entry('reply: { fail: { status: 429, code: model_error } }'),
      "2:30: scenarios[0].reply.fail.status: does not go with 'model_error', which has status 502",
    ],
    [
      entry('reply: { fail: { status: 502, retry_after: 3 } }'),
      '2:48: scenarios[0].reply.fail.retry_after: goes with',
    ],
    [
      entry('when: { input: "/(/" }\n    reply: { text: a }'),
      '2:20: scenarios[0].when.input: is not a regular expression',
    ],
    [
      entry('when: { input: "/a/g" }\n    reply: { text: a }'),
      '2:20: scenarios[0].when.input: is not a regular expression',
    ],
    ['scenarios: [a', '1:14: '],
  ])('%j', (text, expected) => {
    expect(() => load(text)).toThrow(ConfigError);
    try {
      load(text);
    } catch (error) {
      expect((error as Error).message.replaceAll(`${file}:`, '').slice(0, expected.length)).toBe(expected);
    }
  });

  test('missing and oversized files', () => {
    expect(() => loadScenarios('/nowhere.yaml')).toThrow('/nowhere.yaml: cannot be read: no such file');
    expect(() => load(`# ${'x'.repeat(1_100_000)}`)).toThrow('is larger than 1048576 bytes');
  });
});
