import { AISDKError, APICallError, UnsupportedFunctionalityError } from '@ai-sdk/provider';
import { ApiError, type ApiErrorOptions, apiError } from '../../errors.ts';
import { parameterOf } from './parameters.ts';
import type { Deadline, ModelLog, Upstream } from './upstream.ts';
import { type Complaint, clean, complaintOf, saying } from './upstream-complaint.ts';

const contextLength =
  /context[ _](length|window|size)|maximum context|prompt is too long|too many (input )?tokens|exceed_context|context_length/i;
const contentPolicy = /content_filter|content management policy|responsible_?ai|content_policy/i;

/** What the caller calls the things that an upstream complains of. */
export interface Terms {
  /** The field with what the model is given. */
  input: string;
  parameterOf(upstreamName: string): string;
}

const modelRequestTerms: Terms = { input: 'input', parameterOf };

/** What to throw for `error`: the caller's own reason after an abort, else an error of the catalogue, which is logged. */
export function callFailure(
  error: unknown,
  { upstream, log, terms }: { upstream: Upstream; log: ModelLog; terms?: Terms },
  limit: Deadline,
  signal: AbortSignal,
): unknown {
  if (signal.aborted) return signal.reason;
  const failed = upstreamError(error, upstream, limit.expired(), terms);
  const level = failed.status === 429 || failed.status >= 500 ? 'warn' : 'debug';
  const cause = error instanceof Error ? clean(`${error.name}: ${error.message}`, upstream) : null;
  log[level](
    { deployment: upstream.name, status: failed.status, code: failed.code, reason: failed.message, cause },
    'model call failed',
  );
  return failed;
}

/** The error of our catalogue for whatever a provider package threw or sent as an error event. */
export function upstreamError(
  error: unknown,
  upstream: Upstream,
  expired: boolean,
  terms = modelRequestTerms,
): ApiError {
  if (error instanceof ApiError) return error;
  if (expired) return timedOut(upstream);
  if (UnsupportedFunctionalityError.isInstance(error)) {
    const what = clean(error.functionality, upstream);
    return apiError(
      'unsupported_parameter',
      `Deployment '${upstream.name}' cannot take this input: ${what}.`,
      {
        target: terms.input,
      },
    );
  }
  const complaint = complaintOf(error);
  if (complaint.status !== null) return answered(complaint.status, complaint, upstream, terms);
  if (APICallError.isInstance(error)) return unreachable(error, upstream);
  if (AISDKError.isInstance(error)) {
    return apiError(
      'model_error',
      `Deployment '${upstream.name}' sent an incomplete or malformed answer. ${again}`,
    );
  }
  if (complaint.message !== '') return midway(complaint, upstream, terms);
  return apiError(
    'model_error',
    `Deployment '${upstream.name}': the connection to the model broke mid-way. ${again}`,
  );
}

const again = 'Repeat the request; if it keeps failing, look at the logs of the model server.';

function timedOut({ name, timeoutSeconds }: Upstream): ApiError {
  return apiError(
    'service_unavailable',
    `Deployment '${name}' sent nothing for ${timeoutSeconds} s. ` +
      'Repeat the request, or raise `timeoutSeconds` of the deployment in bloomery.yaml.',
  );
}

function unreachable(error: APICallError, upstream: Upstream): ApiError {
  const code = networkCode(error);
  if (/TIMEOUT/.test(code)) return timedOut(upstream);
  const reason = networkReasons[code] ?? 'cannot be reached';
  return apiError(
    'service_unavailable',
    `Deployment '${upstream.name}' ${reason}. Check that its model server is running and that \`baseUrl\` is right, ` +
      'then repeat the request.',
  );
}

const networkReasons: Record<string, string> = {
  ECONNREFUSED: 'cannot be reached: its server refused the connection',
  ENOTFOUND: "cannot be reached: its server's host name is not known",
  EAI_AGAIN: "cannot be reached: its server's host name could not be looked up",
  ECONNRESET: 'cannot be reached: its server closed the connection',
  UND_ERR_SOCKET: 'cannot be reached: its server closed the connection',
  CERT_HAS_EXPIRED: 'cannot be reached: the TLS certificate of its server has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'cannot be reached: the TLS certificate of its server is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'cannot be reached: the TLS certificate of its server is not trusted',
};

/** Undici wraps the system's error, and an AggregateError wraps one per address tried. */
function networkCode(error: unknown): string {
  for (let at = error, depth = 0; typeof at === 'object' && at !== null && depth < 5; depth++) {
    const { code, cause, errors } = at as { code?: unknown; cause?: unknown; errors?: unknown[] };
    if (typeof code === 'string') return code;
    at = cause ?? errors?.[0];
  }
  return '';
}

function answered(status: number, complaint: Complaint, upstream: Upstream, terms: Terms): ApiError {
  const { name } = upstream;
  const said = saying(complaint, upstream);
  const headers = retryAfter(complaint.headers);
  if (status === 429) {
    const hopeless = complaint.code === 'insufficient_quota' ? { retry: false } : {};
    return apiError('rate_limit_exceeded', `Deployment '${name}' is rate-limited by its provider${said}`, {
      headers,
      ...hopeless,
    });
  }
  if (status === 401 || status === 403) {
    return apiError(
      'service_unavailable',
      `Deployment '${name}' refused the server's credentials. Check its \`apiKey\` in bloomery.yaml or the environment.`,
      { retry: false },
    );
  }
  if (status === 404) {
    return apiError(
      'model_error',
      `Deployment '${name}': its server knows no model '${upstream.model}' or does not serve this API. ` +
        'Pull the model there, or correct `model` and `baseUrl` in bloomery.yaml.',
      { retry: false },
    );
  }
  if (status >= 300 && status < 400) {
    return apiError(
      'model_error',
      `Deployment '${name}' answered with a redirect; correct its \`baseUrl\`.`,
      {
        retry: false,
      },
    );
  }
  if (status === 402)
    return apiError('service_unavailable', `Deployment '${name}' refused payment${said}`, { retry: false });
  if (status >= 400 && status < 500 && status !== 408) return refused(complaint, upstream, terms);
  if (status === 500 || status < 400)
    return apiError('model_error', `Deployment '${name}' failed${said}`, { headers });
  return apiError(
    'service_unavailable',
    `Deployment '${name}' is not available now (status ${status})${said}`,
    {
      headers,
    },
  );
}

/** The upstream understood and would not: too long, filtered, or a field it does not take. */
function refused(complaint: Complaint, upstream: Upstream, terms: Terms): ApiError {
  const { name } = upstream;
  const said = saying(complaint, upstream);
  const signs = `${complaint.code} ${complaint.type} ${complaint.message}`;
  if (contextLength.test(signs)) {
    return apiError(
      'context_length_exceeded',
      `The input does not fit the context window of deployment '${name}'${said}`,
      {
        target: terms.input,
      },
    );
  }
  if (contentPolicy.test(signs)) {
    return apiError(
      'content_filter',
      `The provider of deployment '${name}' refused the input by its content policy${said}`,
      {
        target: terms.input,
      },
    );
  }
  const options: ApiErrorOptions =
    complaint.parameter === null ? {} : { target: terms.parameterOf(complaint.parameter) };
  const code = /^unsupported_(parameter|value)$/.test(complaint.code)
    ? 'unsupported_parameter'
    : 'invalid_payload';
  return apiError(code, `Deployment '${name}' refused the request${said}`, options);
}

/** Error events inside a stream carry no status; some name their kind. */
function midway(complaint: Complaint, upstream: Upstream, terms: Terms): ApiError {
  const kind = `${complaint.code} ${complaint.type}`;
  if (/rate_limit/.test(kind)) return answered(429, complaint, upstream, terms);
  if (/overloaded|unavailable/.test(kind)) return answered(503, complaint, upstream, terms);
  if (contextLength.test(kind) || contentPolicy.test(kind)) return refused(complaint, upstream, terms);
  return apiError(
    'model_error',
    `Deployment '${upstream.name}' failed mid-way${saying(complaint, upstream)}`,
  );
}

function retryAfter(headers: Record<string, string>): Record<string, string> {
  const value = headers['retry-after'];
  if (value !== undefined && /^(\d{1,6}|[A-Za-z0-9 ,:]{20,40})$/.test(value)) return { 'retry-after': value };
  const milliseconds = Number(headers['retry-after-ms'] ?? Number.NaN);
  return Number.isFinite(milliseconds)
    ? { 'retry-after': String(Math.max(1, Math.ceil(milliseconds / 1000))) }
    : {};
}
