import { expect, test } from 'vitest';
import { importViolations, readSources } from '../../scripts/check-imports.ts';

test('imports of the whole source point one way', () => {
  expect(importViolations(readSources())).toEqual([]);
});

const word = ['sq', 'lite'].join('');

test.each([
  ['src/kit/a.ts', "import { b } from '../families/agents/store.ts';", 'may not use values of src/families'],
  ['src/kit/a.ts', "import type { B } from '../http/b.ts';", 'may not use types of src/http/b.ts'],
  ['src/kit/a.ts', "export {\n  b,\n  c,\n} from '../http/b.ts';", 'may not use values of src/http/b.ts'],
  ['src/kit/a.ts', "import '../http/b.ts';", 'may not use values of src/http/b.ts'],
  ['src/http/a.ts', "const b = await import('../families/b.ts');", 'may not use values of src/families/b.ts'],
  ['src/http/a.ts', "import { type A, b } from '../config.ts';", 'may not use values of src/config.ts'],
  [
    'src/providers/models/a.ts',
    "import { b } from '../../storage/b.ts';",
    'may not use values of src/storage',
  ],
  ['src/families/agents/service.ts', "import { b } from '../responses/store.ts';", "another family's"],
  ['src/families/index.ts', "import { b } from './responses/store.ts';", "another family's"],
  ['src/families/agents/contract.ts', "import { b } from './store.ts';", 'is a contract'],
  ['src/families/agents/contract.ts', "import { b } from '../../storage/b.ts';", 'is a contract'],
  [
    'src/families/agents/service.ts',
    "import { b } from '../testing/test-app.ts';",
    'which is there for tests',
  ],
  ['src/families/agents/service.ts', "import { b } from '../../app.ts';", 'may not use values of src/app.ts'],
  ['src/http/a.ts', "import { b } from '../server.ts';", 'may not use values of src/server.ts'],
  ['src/newcomer/a.ts', "import { b } from '../errors.ts';", 'belongs to no layer'],
  ['src/kit/a.ts', `// Only on ${word}.`, `says '${word}'`],
  ['test/a.test.ts', `const engine = '${word}';`, `says '${word}'`],
])('%s may not say %j', (file, text, complaint) => {
  expect(importViolations({ [file]: text })).toEqual([expect.stringContaining(`${file}: `)]);
  expect(importViolations({ [file]: text })[0]).toContain(complaint);
});

test.each([
  ['src/families/agents/service.ts', "import { type A, b } from '../responses/items.ts';"],
  ['src/families/agents/service.ts', "import type { B } from '../responses/store.ts';"],
  ['src/families/agents/service.ts', "import { type A, type B } from '../responses/store.ts';"],
  ['src/families/index.ts', "import { b } from './responses/index.ts';"],
  ['src/families/agents/contract.ts', "import { b } from '../responses/request-parts.ts';"],
  ['src/kit/context.ts', "import type { Principal } from '../trust/principal.ts';"],
  ['src/cli/serve.ts', "import { startServer } from '../server.ts';"],
  ['src/families/agents/store.test.ts', "import { createApp } from '../../app.ts';"],
  ['src/families/agents/store.test.ts', `// Only on ${word}.\nconst a = 1; // ${word} again`],
  ['src/storage/a.ts', `const engine = '${word}';`],
  ['src/cli/doctor-data.ts', `const engine = '${word}';`],
])('%s may say %j', (file, text) => {
  expect(importViolations({ [file]: text })).toEqual([]);
});
