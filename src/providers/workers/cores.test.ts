import { describe, expect, test, vi } from 'vitest';
import { allowedCores, coresButOne, coresIn, keepOnCores } from './cores.ts';

test('lists of cores are read as Linux writes them', () => {
  expect(coresIn('0-3,8')).toEqual([0, 1, 2, 3, 8]);
  expect(coresIn('7')).toEqual([7]);
  expect(coresIn('')).toEqual([]);
});

test('one core is left where there are several, each in its turn', () => {
  expect(coresButOne([0, 1, 5], 30)).toEqual([1, 5]);
  expect(coresButOne([0, 1, 5], 31)).toEqual([0, 5]);
  expect(coresButOne([0, 1, 5], 32)).toEqual([0, 1]);
  expect(coresButOne([4], 30)).toEqual([]);
  expect(coresButOne([], 30)).toEqual([]);
});

describe.runIf(process.platform === 'linux')('on Linux', () => {
  test('the system tells which cores there are', () => {
    expect(allowedCores().length).toBeGreaterThan(0);
    expect(allowedCores('no thread')).toEqual([]);
  });

  test('what can not be done to one thread is done to the others, and a missing program is told', () => {
    expect(keepOnCores(['0x', String(process.pid)], allowedCores())).toBe(true);
    vi.stubEnv('PATH', '/nowhere');
    expect(keepOnCores([String(process.pid)], allowedCores())).toBe(false);
    vi.unstubAllEnvs();
  });
});
