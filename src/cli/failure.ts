/** Errors of the commands, as an exit code and words for a person. */
import { UsageError } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';

/** An error that already says all, with the exit code it stands for. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

export interface Failure {
  exitCode: number;
  message: string;
}

export function describeFailure(error: unknown): Failure {
  if (error instanceof CommandError) return { exitCode: error.exitCode, message: error.message };
  if (error instanceof UsageError) {
    const help = error.command === null ? 'bloomery --help' : `bloomery ${error.command} --help`;
    return { exitCode: exitCodes.usage, message: `${error.message}\nSee \`${help}\`.` };
  }
  const { name, message, code } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  if (name === 'ConfigError') {
    return { exitCode: exitCodes.configInvalid, message: `The configuration is not valid.\n${message}` };
  }
  if (name === 'UnguardedServerError') return { exitCode: exitCodes.configInvalid, message };
  if (name === 'DataDirectoryInUseError') return { exitCode: exitCodes.dataDirectoryInUse, message };
  if (code === 'EADDRINUSE') return { exitCode: exitCodes.portInUse, message: portInUse(error) };
  if (code === 'EACCES' && isListening(error)) {
    return {
      exitCode: exitCodes.failure,
      message: `${place(error)} may not be listened on by this user. Choose a port above 1023 with --port.`,
    };
  }
  if ((code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') && isListening(error)) {
    return {
      exitCode: exitCodes.failure,
      message: `${place(error)} is not an address of this machine. Correct --host.`,
    };
  }
  return { exitCode: exitCodes.failure, message: detail(error) };
}

const portInUse = (error: unknown): string =>
  `${place(error)} is in use. Stop what listens there, or choose another port with --port (0 takes any free one).`;

const isListening = (error: unknown): boolean =>
  ['listen', 'getaddrinfo'].includes((error as NodeJS.ErrnoException).syscall ?? '');

function place(error: unknown): string {
  const { address, port, hostname } = error as { address?: string; port?: number; hostname?: string };
  return port === undefined
    ? `The address ${address ?? hostname}`
    : `Port ${port} of ${address ?? 'this machine'}`;
}

/** Faults of the program itself keep their stack: it is what a report needs. */
function detail(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const isFault =
    error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError;
  return isFault ? (error.stack ?? error.message) : error.message;
}
