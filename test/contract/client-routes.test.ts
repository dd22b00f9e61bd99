import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { currentRoutes } from '../../scripts/client-routes.ts';
import { routes } from '../../src/client/routes.ts';

test('the client knows the contracts as they are; `node scripts/client-routes.ts` writes what it knows', async () => {
  expect(routes).toEqual(await currentRoutes());
});

test('the client takes nothing along: of others it imports types alone', () => {
  const folder = new URL('../../src/client/', import.meta.url);
  const files = readdirSync(folder).filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'));
  const foreign = files.flatMap((file) => {
    const text = readFileSync(new URL(file, folder), 'utf8');
    const imports = text.matchAll(
      /^(?:import|export)(?! type)\b[^;]*?from '([^']+)'|\bimport\('([^']+)'\)/gm,
    );
    return [...imports].map(([, from, dynamic]) => `${file}: ${from ?? dynamic}`);
  });
  expect(foreign.length).toBeGreaterThan(5);
  expect(foreign.filter((one) => !/: \.\/[\w-]+\.ts$/.test(one))).toEqual([]);
});
