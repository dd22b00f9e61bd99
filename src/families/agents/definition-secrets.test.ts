import { expect, test } from 'vitest';
import { createSealer } from '../../trust/sealing.ts';
import { exportedVersion, openedDefinition, storedDefinition } from './definition-secrets.ts';

const sealer = createSealer([Buffer.alloc(32, 1)]);
const definition = {
  kind: 'prompt',
  tools: [
    { type: 'mcp', headers: { a: 'hush' } },
    { type: 'mcp', authorization: null },
  ],
};

test('what an older version stored in clear can be read, and is not exported', () => {
  const row = { definition: JSON.stringify(definition), secrets: null };
  expect(openedDefinition(row, sealer, 'p')).toEqual(definition);
  expect(exportedVersion({ ...row, version: 1 }, null)).toEqual({
    version: 1,
    definition: JSON.stringify({ kind: 'prompt', tools: [{ type: 'mcp' }, { type: 'mcp' }] }),
  });
  const along = {
    carry: () => null,
    seal: (text: string, purpose: string) => `${purpose}: ${text}`,
  };
  expect(exportedVersion({ ...row, version: 1 }, along)).toMatchObject({
    secrets: 'agent tools: [{"headers":{"a":"hush"}},null]',
  });
});

test('without secrets the text is stored as it was sent', () => {
  const plain = { kind: 'prompt', tools: [{ type: 'mcp', authorization: null }] };
  expect(storedDefinition(plain, sealer, 'p')).toEqual({ definition: JSON.stringify(plain), secrets: null });
});

test('sealed secrets are of one project; where they can’t be opened the tools are without them', () => {
  const stored = storedDefinition(definition, sealer, 'p');
  expect(stored.definition).not.toContain('hush');
  expect(openedDefinition(stored, sealer, 'p')).toMatchObject({ tools: [{ headers: { a: 'hush' } }, {}] });
  expect(openedDefinition(stored, sealer, 'q')).toEqual(JSON.parse(stored.definition));
});
