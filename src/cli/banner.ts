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
${server.development ? developmentNotice : ''}
    Project endpoint  ${server.endpoint}
    API key           ${server.apiKey || 'not here: of those that there are only hashes are kept'}
    Deployments       ${server.deployments.join(', ')}
    Data              ${server.dataDirectory}

  Point this shell's clients at it:    eval "$(${command} env${data})"
  Run a program on a server of its own: ${command} exec -- python sample.py

`;
}

const developmentNotice = `
  ************************* DEVELOPMENT MODE *************************
  * No users, apps or tenant are configured: besides API keys, the   *
  * token endpoint's secret of this machine is good for everything.  *
  * Don't put it behind a proxy for others. To serve them, see       *
  * docs/guide/trust-and-identity.md.                                *
  ********************************************************************
`;

const quoted = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`;
