import { constants } from 'node:os';
import { signalExitBase } from './exit-codes.ts';

const ending = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type EndingSignal = (typeof ending)[number];

/** npm passes on a signal that the terminal has sent to both already; within this time two are one. */
const echoMilliseconds = 250;

export const signalExitCode = (signal: NodeJS.Signals): number => signalExitBase + constants.signals[signal];

export interface StopSignals {
  requested: Promise<EndingSignal>;
  /** Gives the signals their usual effect back. */
  release(): void;
}

/** Resolves with the first signal that asks to end; the second ends the process at once. */
export function watchStopSignals(): StopSignals {
  const { promise, resolve } = Promise.withResolvers<EndingSignal>();
  let firstAt: number | null = null;
  const release = onEndingSignal((signal) => {
    if (firstAt === null) {
      firstAt = performance.now();
      resolve(signal);
    } else if (performance.now() - firstAt > echoMilliseconds) {
      process.exit(signalExitCode(signal));
    }
  });
  return { requested: promise, release };
}

export function onEndingSignal(listener: (signal: EndingSignal) => void): () => void {
  for (const signal of ending) process.on(signal, listener);
  return () => {
    for (const signal of ending) process.off(signal, listener);
  };
}
