import { relative } from 'node:path';
import type { RunningServer } from '../server.ts';
import { invocation } from './invocation.ts';

export function banner(server: RunningServer, command: string = invocation()): string {
  const data =
    relative(process.cwd(), server.dataDirectory) === '.bloomery'
      ? ''
      : ` --data ${quoted(server.dataDirectory)}`;
  return `
  Bloomery is ready.

    Project endpoint  ${server.endpoint}
    API key           ${server.apiKey || 'noted elsewhere: this data directory keeps only its hash'}
    Deployments       ${server.deployments.join(', ')}
    Data              ${server.dataDirectory}

  Point this shell's clients at it:    eval "$(${command} env${data})"
  Run a program on a server of its own: ${command} exec -- python sample.py

`;
}

const quoted = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
