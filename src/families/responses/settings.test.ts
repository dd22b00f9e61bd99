import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { AgentVersion } from '../agents/contract.ts';
import { effectiveSettings, precedence } from './settings.ts';

const agent = (definition: object): AgentVersion =>
  ({ name: 'a', version: '1', definition: { kind: 'prompt', model: 'm', ...definition } }) as AgentVersion;

const values = {
  model: ['m', 'other'],
  instructions: ['agent', 'request'],
  tools: [[{ type: 'function', name: 'a' }], [{ type: 'function', name: 'r' }]],
  text: [{ verbosity: 'low' }, { verbosity: 'high' }],
  reasoning: [{ effort: 'low' }, { effort: 'high' }],
  tool_choice: ['none', 'auto'],
  temperature: [0, 1],
  top_p: [0.25, 0.5],
} as const satisfies Record<keyof typeof precedence, readonly [unknown, unknown]>;

const effective = {
  model: 'model',
  instructions: 'instructions',
  tools: 'tools',
  text: 'verbosity',
  reasoning: 'reasoning',
  tool_choice: 'toolChoice',
  temperature: 'temperature',
  top_p: 'topP',
} as const;

const shown = (name: keyof typeof precedence, value: unknown) =>
  name === 'text' ? (value as { verbosity: string }).verbosity : value;

test.each(Object.entries(precedence) as [keyof typeof precedence, string][])('%s: %s', (name, who) => {
  const [ofAgent, ofRequest] = values[name];
  const version = agent({ [name]: ofAgent });
  expect(effectiveSettings(version, {})[effective[name]]).toEqual(shown(name, ofAgent));
  if (who === 'agent only') {
    expect(() => effectiveSettings(version, { [name]: ofRequest } as object)).toThrow(
      expect.objectContaining({ code: 'invalid_payload', target: name }),
    );
  } else {
    const settings = effectiveSettings(version, { [name]: ofRequest } as object);
    expect(settings[effective[name]]).toEqual(shown(name, ofRequest));
  }
  const alone = effectiveSettings(null, { model: 'm', [name]: ofRequest } as object);
  expect(alone[effective[name]]).toEqual(shown(name, ofRequest));
});

test('the guide tells the same', () => {
  const guide = readFileSync(new URL('../../../docs/guide/responses.md', import.meta.url), 'utf8');
  const rows = [...guide.matchAll(/^\| `(\w+)` +\| (agent only|request, then agent) +\|$/gm)];
  expect(Object.fromEntries(rows.map(([, name, who]) => [name, who]))).toEqual(precedence);
});

test('empty lists override nothing', () => {
  expect(effectiveSettings(agent({ tools: values.tools[0] }), { tools: [] }).tools).toHaveLength(1);
});

test('allowed tools must be among the tools', () => {
  const tools = [{ type: 'function' as const, name: 'f' }];
  const allowed = (name: string) => ({
    type: 'allowed_tools' as const,
    mode: 'auto' as const,
    tools: [{ type: 'function', name }],
  });
  expect(effectiveSettings(null, { model: 'm', tools, tool_choice: allowed('f') }).toolChoice).toEqual(
    allowed('f'),
  );
  expect(() => effectiveSettings(null, { model: 'm', tools, tool_choice: allowed('g') })).toThrow(
    expect.objectContaining({ target: 'tool_choice.tools[0]' }),
  );
});
