import { afterEach, expect, test, vi } from 'vitest';
import { isId, newId, newItemId, partitionOf } from './ids.ts';

afterEach(() => void vi.useRealTimers());

test('ids ascend in the order they were made, also when the clock stands or steps back', () => {
  vi.useFakeTimers({ now: 2_000_000_000_000 });
  const ids = Array.from({ length: 100 }, () => newId('resp'));
  vi.setSystemTime(1_000_000_000_000);
  ids.push(...Array.from({ length: 70_000 }, () => newId('resp')));
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
});

test('an item leads to what it belongs to', () => {
  const response = newId('resp');
  const item = newItemId('message', partitionOf(response));
  expect(item).toMatch(/^msg_[0-9a-f]{46}$/);
  expect(response.startsWith(`resp_${partitionOf(item)}`)).toBe(true);
});

test('the form of an id can be told', () => {
  expect(isId('resp', newId('resp'))).toBe(true);
  expect(isId('conv', newId('resp'))).toBe(false);
  expect(isId('resp', 'resp_none')).toBe(false);
  expect(newItemId('something_new')).toMatch(/^item_/);
});
