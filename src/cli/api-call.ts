/** Calls of the commands to the running server's own API. */
import { readFileSync } from 'node:fs';
import { Agent, fetch, type RequestInit, type Response } from 'undici';
import type { RunFile } from '../trust/run-file.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';

export interface ApiReply {
  status: number;
  /** Undefined where there is none. */
  body: unknown;
}

/** `path` is below the project, below `/admin`, or a whole URL. Throws what the server refuses, in its own words. */
export type ApiCall = (method: string, path: string, body?: object) => Promise<ApiReply>;

export interface ApiSession {
  call: ApiCall;
  /** The answer as it comes; `path` as of a call. Throws what the server refuses, in its own words. */
  request(path: string, init: RequestInit): Promise<Response>;
}

export const openApi = async (server: RunFile, project: string | null): Promise<ApiCall> =>
  (await openApiSession(server, project)).call;

/** The API key may have been taken away; a token can be had as long as the server runs. */
export async function openApiSession(server: RunFile, project: string | null): Promise<ApiSession> {
  const dispatcher = new Agent({ connect: { ca: readFileSync(server.caFile) } });
  const question = '?resource=https://ai.azure.com&api-version=2019-08-01';
  const issued = await fetch(server.identityEndpoint + question, {
    headers: { 'x-identity-header': server.identityHeader },
    dispatcher,
  });
  if (!issued.ok) throw new CommandError(exitCodes.failure, `The server issued no token: ${issued.status}.`);
  const { access_token: token } = (await issued.json()) as { access_token: string };
  const base =
    project === null ? server.endpoint : server.endpoint.replace(/[^/]+$/, encodeURIComponent(project));

  const urlOf = (path: string): string => {
    if (path.startsWith('https:')) return path;
    if (path.startsWith('/admin/')) return new URL(path, base).href;
    return `${base}${path}?api-version=v1`;
  };

  const request: ApiSession['request'] = async (path, init) => {
    const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) };
    const reply = await fetch(urlOf(path), { ...init, headers, dispatcher });
    if (reply.ok) return reply;
    const answer = parsed(await reply.text()) as { error?: { message?: string } } | undefined;
    throw new CommandError(exitCodes.failure, answer?.error?.message ?? `HTTP ${reply.status}`);
  };

  return {
    request,
    async call(method, path, body) {
      const reply = await request(path, {
        method,
        headers: { 'content-type': 'application/json' },
        body: body === undefined ? null : JSON.stringify(body),
      });
      return { status: reply.status, body: parsed(await reply.text()) };
    },
  };
}

const parsed = (text: string): unknown => (text === '' ? undefined : JSON.parse(text));
