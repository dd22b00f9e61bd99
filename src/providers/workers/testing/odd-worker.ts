/** A worker whose calls do what tests of the line need. */
import { apiError } from '../../../errors.ts';
import { answerCalls } from '../worker-calls.ts';

const calls = {
  echo: (value: string): string => value,
  refuse: (field: string): never => {
    throw apiError('invalid_payload', 'No.', { target: field });
  },
  fail: (message: string): never => {
    throw new Error(message);
  },
  die: (code: number): never => process.exit(code),
  fillMemory: (): number => {
    const kept: number[][] = [];
    for (;;) kept.push(new Array(100_000).fill(kept.length));
  },
};
export type OddCalls = typeof calls;

answerCalls(calls, () => {});
