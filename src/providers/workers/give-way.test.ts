import { execFileSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { describe, expect, test } from 'vitest';

/** Names and nice values of a process's threads after it was called there, as it is for the whole process. */
function threadsAfter(call: string): { name: string; nice: number }[] {
  const script = `
    import { readdirSync, readFileSync } from 'node:fs';
    import { giveWay, helpersGiveWay } from ${JSON.stringify(new URL('./give-way.ts', import.meta.url).href)};
    ${call};
    const of = (thread, file) => readFileSync('/proc/self/task/' + thread + '/' + file, 'utf8');
    console.log(JSON.stringify(readdirSync('/proc/self/task').map((thread) => {
      const stat = of(thread, 'stat');
      const nice = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[16]);
      return { name: of(thread, 'comm').trim(), nice };
    })));`;
  const options = { encoding: 'utf8' } as const;
  return JSON.parse(execFileSync(process.execPath, ['--input-type=module', '--eval', script], options));
}

describe.runIf(process.platform === 'linux')('giving way', () => {
  test("V8's helpers give way, and the thread that answers requests does not", () => {
    const threads = threadsAfter('helpersGiveWay()');
    const helpers = threads.filter(({ name }) => name.includes('V8Worker'));
    expect(helpers.length).toBeGreaterThan(0);
    expect(helpers.every(({ nice }) => nice === 10)).toBe(true);
    expect(threads.find(({ name }) => name.includes('MainThread'))?.nice).toBe(getPriority());
  });

  test('a thread gives way alone', () => {
    const threads = threadsAfter('giveWay(false)');
    expect(threads.filter(({ nice }) => nice === 10).map(({ name }) => name)).toEqual([
      expect.stringContaining('MainThread'),
    ]);
  });
});
