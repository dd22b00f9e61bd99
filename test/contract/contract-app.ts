import type { InjectOptions } from 'fastify';
import { pino } from 'pino';
import { openFamilies } from '../../scripts/open-families.ts';
import { createApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config.ts';
import { apiError } from '../../src/errors.ts';
import type { ContractRow } from '../../src/families/not-built/contract-rows.ts';
import { notBuiltName } from '../../src/families/not-built/index.ts';
import { previewGate } from '../../src/families/not-built/preview-gates.ts';
import type { Family } from '../../src/kit/operation.ts';
import { everything, type Grant } from '../../src/trust/principal.ts';

export interface ContractReply {
  status: number;
  headers: Record<string, unknown>;
  error:
    | { code: string; message: string; param: unknown; target: unknown; type?: string; details: unknown }
    | undefined;
}

export interface ContractApp {
  /** All families of the server but the one that answers for what is missing. */
  served: Family[];
  /** Calls an operation with sample parameters, its own media type, and its preview key unless told otherwise. */
  call(
    row: ContractRow,
    given?: { headers?: Record<string, string>; base?: string; url?: string; payload?: string },
  ): Promise<ContractReply>;
  close(): Promise<void>;
}

const boundary = 'sample-boundary';

/** The whole server in process, over families that a test may swap for its own. */
export async function contractApp(
  replace?: (families: Family[]) => Family[],
  keys: Record<string, Grant[]> = {},
): Promise<ContractApp> {
  const opened = await openFamilies();
  const app = await createApp({
    config: loadConfig({ file: null, environment: {} }),
    credentials: {
      verifyKey: (key) => {
        const grants = key === 'key' ? everything : keys[key];
        return grants === undefined ? null : { kind: 'key', id: 'test', name: 'test', grants };
      },
      verifyToken() {
        throw apiError('invalid_credential', 'No tokens here.');
      },
    },
    families: replace?.(opened.families) ?? opened.families,
    log: pino({ level: 'silent' }),
    installPublicRoutes() {},
  });
  return {
    served: opened.families.filter(({ name }) => name !== notBuiltName),
    async call(row, given = {}) {
      const gate = row.wire === 'foundry' ? previewGate(row.path) : null;
      const hasBody = row.method !== 'GET' && row.method !== 'DELETE';
      const reply = await app.inject({
        method: row.method as NonNullable<InjectOptions['method']>,
        url: given.url ?? sampleUrl(row, given.base),
        headers: {
          'api-key': 'key',
          ...(hasBody ? { 'content-type': contentTypeOf(row) } : {}),
          ...(gate === null ? {} : { 'foundry-features': gate }),
          ...given.headers,
        },
        ...(hasBody ? { payload: given.payload ?? sampleBody(row) } : {}),
      });
      return {
        status: reply.statusCode,
        headers: reply.headers,
        error: reply.payload.startsWith('{') ? (reply.json() as ContractReply).error : undefined,
      };
    },
    async close() {
      await app.close();
      await opened.close();
    },
  };
}

/** A parameter's own name is its sample: `/agents/agent-name:enable`. */
export function sampleUrl(row: ContractRow, base?: string): string {
  const path = row.path.replace(/\{(\w+)\}/g, (_, name: string) => name.replaceAll('_', '-'));
  const root = base ?? (row.wire === 'openai' ? '/openai/v1' : '');
  return `/api/projects/default${root}${path}${row.wire === 'openai' && base === undefined ? '' : '?api-version=v1'}`;
}

const contentTypeOf = ({ consumes }: ContractRow): string =>
  consumes === 'multipart/form-data' ? `${consumes}; boundary=${boundary}` : (consumes ?? 'application/json');

const sampleBody = ({ consumes }: ContractRow): string =>
  consumes === 'multipart/form-data'
    ? `--${boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n--${boundary}--\r\n`
    : '{}';
