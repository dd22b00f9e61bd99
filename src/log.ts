import { destination, type Logger, pino } from 'pino';

const flushMilliseconds = 200;
const bufferBytes = 4096;

export interface Log {
  logger: Logger;
  /** Writes what is still buffered. */
  close(): void;
}

/** JSON lines on stderr. Written in blocks: a system call per line would be felt by every request. */
export function createLog(level: string): Log {
  const stderr = destination({ fd: 2, sync: false, minLength: bufferBytes });
  const logger = pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stderr);
  const flushing = setInterval(() => stderr.flush(), flushMilliseconds).unref();
  return {
    logger,
    close() {
      clearInterval(flushing);
      stderr.flushSync();
    },
  };
}
