/** Calls of the running server, those too whose bodies or answers are streams: no attempt at them can be made twice. */
import { readFileSync } from 'node:fs';
import { Agent, fetch, type RequestInit, type Response } from 'undici';
import type { RunFile } from '../trust/run-file.ts';
import { type ApiCall, issuedToken, openApi } from './api-call.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';

export interface ApiSession {
  call: ApiCall;
  /** The answer as it comes; `path` is below `/admin`. Throws what the server refuses, in its own words. */
  request(path: string, init: RequestInit): Promise<Response>;
}

export async function openApiSession(server: RunFile): Promise<ApiSession> {
  const call = await openApi(server, null);
  const dispatcher = new Agent({ connect: { ca: readFileSync(server.caFile) } });
  const token = await issuedToken(server);
  const request: ApiSession['request'] = async (path, init) => {
    const headers = { authorization: `Bearer ${token}`, ...(init.headers as Record<string, string>) };
    const reply = await fetch(new URL(path, server.endpoint).href, { ...init, headers, dispatcher });
    if (reply.ok) return reply;
    const answer = (await reply.json().catch(() => undefined)) as
      | { error?: { message?: string } }
      | undefined;
    throw new CommandError(exitCodes.failure, answer?.error?.message ?? `HTTP ${reply.status}`);
  };
  return { call, request };
}
