/** The client of the commands, for the running server or for any endpoint. */
import { readFileSync } from 'node:fs';
import tls from 'node:tls';
import {
  type AttemptReport,
  type Client,
  type ClientOptions,
  createClient,
  type FreeRequest,
} from '../client/index.ts';
import type { RunFile } from '../trust/run-file.ts';
import { UsageError } from './arguments.ts';
import type { CommandName } from './commands.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';
import { runningServer } from './running-server.ts';

export interface ApiReply {
  status: number;
  /** Undefined where there is none. */
  body: unknown;
}

/** `path` is below the project, below `/admin`, or a whole URL. Throws what the server refuses, in its own words. */
export type ApiCall = (method: string, path: string, body?: object) => Promise<ApiReply>;

export async function openApi(server: RunFile, project: string | null): Promise<ApiCall> {
  const client = serverClient(server, project);
  return (name, path, body) => {
    const method = name as FreeRequest['method'];
    return path.startsWith('/admin/')
      ? client.request({ method, path: path.slice('/admin'.length), wire: 'admin', body })
      : client.request({ method, path, body });
  };
}

export interface Whereabouts {
  data: string;
  project: string | null;
  /** The address of a project, or `env` for what FOUNDRY_PROJECT_ENDPOINT says; null for the running server. */
  endpoint: string | null;
  'token-env': string | null;
}

/** A client of the endpoint that the options name. */
export function clientFor(given: Whereabouts, command: CommandName): Client {
  if (given.endpoint === null && given['token-env'] !== null) {
    throw new UsageError('--token-env goes with --endpoint.', command);
  }
  if (given.endpoint === null) return serverClient(runningServer(given.data), given.project);
  const endpoint = given.endpoint === 'env' ? variable('FOUNDRY_PROJECT_ENDPOINT') : given.endpoint;
  const credential =
    given['token-env'] === null
      ? { key: variable('FOUNDRY_PROJECT_API_KEY') }
      : { token: variable(given['token-env']) };
  try {
    return createClient({ endpoint: inProject(endpoint, given.project), credential, ...telling });
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(error.message, command) : error;
  }
}

/** The API key may have been taken away; a token can be had as long as the server runs. */
export function serverClient(server: RunFile, project: string | null): Client {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), readFileSync(server.caFile, 'utf8')]);
  let token: Promise<string> | undefined;
  return createClient({
    endpoint: inProject(server.endpoint, project),
    credential: {
      token: ({ refused }) => {
        if (refused) token = undefined;
        token ??= issuedToken(server);
        return token;
      },
    },
    ...telling,
  });
}

export async function issuedToken(server: RunFile): Promise<string> {
  const question = '?resource=https://ai.azure.com&api-version=2019-08-01';
  const issued = await fetch(server.identityEndpoint + question, {
    headers: { 'x-identity-header': server.identityHeader },
  });
  if (!issued.ok) throw new CommandError(exitCodes.failure, `The server issued no token: ${issued.status}.`);
  return ((await issued.json()) as { access_token: string }).access_token;
}

const inProject = (endpoint: string, project: string | null): string =>
  project === null ? endpoint : endpoint.replace(/[^/]+\/*$/, encodeURIComponent(project));

function variable(name: string): string {
  const value = process.env[name]?.trim();
  if (!value) throw new CommandError(exitCodes.failure, `The environment variable ${name} holds nothing.`);
  return value;
}

/** A person who waits is told what for. */
const telling: Partial<ClientOptions> = process.stderr.isTTY ? { onAttempt: tellOfWait } : {};

function tellOfWait({ status, waitMs }: AttemptReport): void {
  if (waitMs === null || waitMs < 1000) return;
  const why = status === null ? 'No answer' : `Answered ${status}`;
  process.stderr.write(`${why}; again in ${Math.ceil(waitMs / 1000)} s\n`);
}
