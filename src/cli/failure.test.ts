import { expect, test } from 'vitest';
import { ConfigError } from '../config.ts';
import { DataDirectoryInUseError } from '../storage/data-lock.ts';
import { UsageError } from './arguments.ts';
import { CommandError, describeFailure } from './failure.ts';

test.each([
  [new UsageError('No.', 'serve'), 2, 'See `bloomery serve --help`'],
  [new ConfigError(['a.yaml:1:1: no']), 3, 'a.yaml:1:1: no'],
  [
    Object.assign(new Error('listen'), {
      code: 'EADDRINUSE',
      syscall: 'listen',
      address: '127.0.0.1',
      port: 8600,
    }),
    4,
    'Port 8600 of 127.0.0.1 is in use.',
  ],
  [new DataDirectoryInUseError('/data', 'Stop it.'), 5, '/data is in use'],
  [
    Object.assign(new Error('listen'), { code: 'EACCES', syscall: 'listen', address: '127.0.0.1', port: 80 }),
    1,
    'above 1023',
  ],
  [new CommandError(127, 'x: command not found'), 127, 'command not found'],
  [new Error('Something.'), 1, 'Something.'],
  [new TypeError('A fault.'), 1, 'failure.test.ts'],
])('%s', (error, exitCode, message) => {
  const failure = describeFailure(error);
  expect(failure.exitCode).toBe(exitCode);
  expect(failure.message).toContain(message);
});
