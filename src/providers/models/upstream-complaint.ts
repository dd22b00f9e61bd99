import { APICallError } from '@ai-sdk/provider';
import type { Upstream } from './upstream.ts';

/** What an upstream said of a failure, in whichever of the known shapes it said it. */
export interface Complaint {
  status: number | null;
  headers: Record<string, string>;
  code: string;
  type: string;
  parameter: string | null;
  message: string;
}

const longestMessage = 500;

export function complaintOf(error: unknown): Complaint {
  const call = APICallError.isInstance(error) ? error : null;
  const body = call === null ? error : (parsed(call.responseBody) ?? {});
  const fields = record(record(body).error ?? body);
  const status = call?.statusCode ?? fields.statusCode;
  const message = fields.message ?? record(body).message ?? record(body).detail ?? record(body).error;
  const isException = error instanceof Error && call === null;
  return {
    status: typeof status === 'number' ? status : null,
    headers: call?.responseHeaders ?? {},
    code: String(fields.code ?? ''),
    type: String(fields.type ?? ''),
    parameter: typeof fields.param === 'string' ? fields.param : null,
    message: typeof message === 'string' && !isException ? message : '',
  };
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return null;
  }
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** The end of a message of ours: what the upstream said, if anything. */
export function saying(complaint: Complaint, upstream: Upstream): string {
  const message = clean(complaint.message, upstream);
  return message === '' ? '.' : `: ${message}`;
}

/** Upstream text, fit for a client: short, one line, without the key and without the address. */
export function clean(text: string, { apiKey, baseUrl }: Pick<Upstream, 'apiKey' | 'baseUrl'>): string {
  const { origin, host } = new URL(baseUrl);
  const secrets = [apiKey, baseUrl, origin, host].filter((secret) => secret !== null && secret !== '');
  const plain = secrets.reduce<string>(
    (rest, secret) => rest.replaceAll(secret as string, '[redacted]'),
    text,
  );
  const line = plain
    .replace(/\b(sk|key|Bearer)[-_ ][A-Za-z0-9*_-]{8,}/g, '[redacted]')
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return line.length > longestMessage ? `${line.slice(0, longestMessage)}…` : line;
}
