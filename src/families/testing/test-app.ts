import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { type AppOptions, createApp } from '../../app.ts';
import { type Limits, loadConfig } from '../../config.ts';
import { apiError } from '../../errors.ts';
import type { Family } from '../../kit/operation.ts';
import type { ApiKeys } from '../../trust/api-keys.ts';
import { everything } from '../../trust/principal.ts';
import { withFittingAnswers } from './fitting-answers.ts';

/** The API key that a test app takes. */
export const testKey = 'key';
/** The API key that has one role everywhere. */
export const keyOfRole = (role: string): string => `role:${role}`;

export interface TestReply {
  status: number;
  headers: Record<string, unknown>;
  text: string;
  // The shape depends on the route; tests compare it whole.
  json: Record<string, unknown> & { error?: { code: string; message: string; param: string | null } };
}

export interface TestApp {
  /**
   * One request below `/api/projects/default`, or as it is below `/admin/` and `/api/`, with a valid key, and on native
   * routes with `api-version`.
   */
  call(
    method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<TestReply>;
  /** Listens on a free loopback port; answers the project's address. */
  listen(): Promise<string>;
  close(): Promise<void>;
}

/** The families behind the server's real conventions, in process and silent. An answer that its contract does not describe is an error. */
export const testApp = (...families: Family[]): Promise<TestApp> => testAppWith(families);

export interface TestAppOptions
  extends Partial<Pick<AppOptions, 'faults' | 'installPublicRoutes' | 'projects' | 'repeats'>> {
  limits?: Partial<Limits>;
  /** Keys besides the one that may do everything. */
  apiKeys?: Pick<ApiKeys, 'verify'>;
}

/** The same with more of the server around them. */
export async function testAppWith(
  families: Family[],
  { limits = {}, apiKeys, ...options }: TestAppOptions = {},
): Promise<TestApp> {
  const config = loadConfig({ file: null, environment: {} });
  const misfits: string[] = [];
  const complain = (): void => {
    if (misfits.length > 0) throw new Error(misfits.splice(0).join('\n'));
  };
  const app = await createApp({
    config: { ...config, limits: { ...config.limits, ...limits } },
    credentials: {
      verifyKey(key) {
        if (key === testKey) return { kind: 'key', id: 'test', name: 'test', grants: everything };
        const role = /^role:(.+)$/.exec(key)?.[1];
        if (role !== undefined)
          return { kind: 'key', id: role, name: role, grants: [{ role, project: null }] };
        return apiKeys?.verify(key) ?? null;
      },
      verifyToken() {
        throw apiError('invalid_credential', 'Test apps take no tokens.');
      },
    },
    families: families.map((family) => withFittingAnswers(family, (misfit) => misfits.push(misfit))),
    log: pino({ level: 'silent' }),
    installPublicRoutes() {},
    ...options,
  });
  const base = '/api/projects/default';
  return {
    async call(method, path, body, headers = {}) {
      const place = /^\/(admin|api)\//.test(path) ? path : base + path;
      const isNative = !/^\/api\/projects\/[^/]+\/openai\/|^\/admin\/|api-version=/.test(place);
      const url = place + (isNative ? `${path.includes('?') ? '&' : '?'}api-version=v1` : '');
      const reply = await app.inject({
        method,
        url,
        headers: { 'api-key': testKey, ...headers },
        ...(body === undefined ? {} : { payload: body as object }),
      });
      complain();
      const isJson = String(reply.headers['content-type']).startsWith('application/json');
      return {
        status: reply.statusCode,
        headers: reply.headers,
        text: reply.payload,
        json: isJson ? reply.json() : {},
      };
    },
    async listen() {
      await app.listen({ port: 0, host: '127.0.0.1' });
      const { port } = app.server.address() as AddressInfo;
      return `http://127.0.0.1:${port}${base}`;
    },
    async close() {
      // An answer may have reached its reader before the server knows that it has ended.
      const idle = setInterval(() => app.server.closeIdleConnections(), 20);
      await app.close();
      clearInterval(idle);
      complain();
    },
  };
}
