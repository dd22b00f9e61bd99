import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { catalogue, missingParameter } from '../../src/errors.ts';
import { errorBody } from '../../src/kit/error-body.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');

const documented = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, code = '', status, retry, meaning]) => ({
    code: code.replaceAll('`', ''),
    status: Number(status),
    retry,
    meaning,
  }));

test('docs/errors.md has the codes of the catalogue, no more and no less, in its words and its order', () => {
  const listed = documented.map(({ code, status, meaning }) => ({ code, status, meaning }));
  expect(listed).toEqual(Object.entries(catalogue).map(([code, entry]) => ({ code, ...entry })));
});

test('docs/errors.md calls a repetition useful only where the SDKs would repeat', () => {
  const useful = documented.filter(({ retry }) => retry !== 'no');
  expect(useful.map(({ retry }) => retry)).toSatisfy((said: string[]) =>
    said.every((word) => word === 'yes' || word === 'with care'),
  );
  expect(useful.map(({ status }) => status)).toEqual([408, 409, 429, 500, 502, 503]);
});

test('docs/errors.md shows both envelopes as they are sent', () => {
  const shown = [...page.matchAll(/```json\n([\s\S]*?)```/g)].map(
    ([, text = '']) => JSON.parse(text) as object,
  );
  const error = missingParameter('name');
  expect(shown).toEqual([errorBody(error, 'foundry', 'REQUEST'), errorBody(error, 'openai', 'REQUEST')]);
});
