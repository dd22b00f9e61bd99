import { expect, test } from 'vitest';
import { progress } from './progress.ts';
import { table } from './resource-table.ts';

const columns = { NAME: 'name', MADE: 'created_at', KIND: 'latest.kind|kind', NOTE: 'note' };

test('a table shows what is there, and nothing that moves the cursor', () => {
  const elements = [
    { name: 'a\u001b]0;title\u0007\nb', created_at: 0, latest: { kind: 'prompt' } },
    { name: 'x'.repeat(100), kind: 'other', extra: 1 },
    null,
  ];
  expect(table(elements, columns).split('\n')).toEqual([
    `${'NAME'.padEnd(60)}  ${'MADE'.padEnd(24)}  KIND`,
    `${'a]0;title b'.padEnd(60)}  1970-01-01T00:00:00.000Z  prompt`,
    `${'x'.repeat(59)}…  ${''.padEnd(24)}  other`,
    '',
  ]);
  expect(table([], columns)).toBe('There are none.');
});

test('a bar is drawn for people only, and not too often', () => {
  const written: string[] = [];
  const terminal = (isTTY: boolean) => ({ isTTY, write: (text: string) => written.push(text) });
  let now = 0;
  const quiet = progress('a', 10, terminal(false));
  quiet.show(5);
  quiet.end();
  expect(written).toEqual([]);
  const bar = progress('a.txt', 2_000_000, terminal(true), () => now);
  bar.show(500_000);
  bar.show(600_000);
  now = 100;
  bar.show(1_000_000);
  bar.show(2_000_100);
  bar.end();
  expect(written.map((text) => text.replace('\r\u001b[K', ''))).toEqual([
    'a.txt [########----------------------]  25 % of 2.0 MB',
    'a.txt [###############---------------]  50 % of 2.0 MB',
    'a.txt [##############################] 100 % of 2.0 MB',
    '\n',
  ]);
});
