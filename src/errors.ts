/**
 * The error catalogue: every failure a client can see, with its stable `code` and its status.
 * `http/errors.ts` renders them, in Foundry's envelope on native routes and in OpenAI's under `/openai/v1`.
 * `docs/errors.md` lists the same codes; a test holds the two together.
 */

export interface ErrorDetail {
  code: string;
  message: string;
  target: string | null;
}

export interface ApiErrorOptions {
  /** The field, parameter or header at fault, as a path: `definition.tools[0].name`. */
  target?: string | null;
  details?: ErrorDetail[];
  headers?: Record<string, string>;
  /** Whether repeating the same request can help. Sent as `x-should-retry`, which OpenAI clients obey. */
  retry?: boolean;
  cause?: unknown;
}

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly target: string | null;
  readonly details: ErrorDetail[];
  readonly headers: Record<string, string>;

  constructor(status: number, code: string, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.target = options.target ?? null;
    this.details = options.details ?? [];
    this.headers = { ...options.headers };
    if (options.retry !== undefined) this.headers['x-should-retry'] = String(options.retry);
  }
}

/** Status and meaning of every code. The one list; `docs/errors.md` is checked against it. */
export const catalogue = {
  BadRequest: { status: 400, meaning: 'The `api-version` query parameter is missing.' },
  UnsupportedApiVersionValue: { status: 400, meaning: 'The `api-version` is not one this server serves.' },
  invalid_json: { status: 400, meaning: 'The body is not well-formed JSON.' },
  invalid_payload: {
    status: 400,
    meaning: 'A field of the body has a wrong type or value, or is not allowed here.',
  },
  invalid_parameter: { status: 400, meaning: 'A path, query or header parameter has a wrong value.' },
  missing_required_parameter: { status: 400, meaning: 'A required field or parameter is missing.' },
  unsupported_parameter: { status: 400, meaning: 'The field is valid, but this server cannot honour it.' },
  address_not_allowed: {
    status: 400,
    meaning: 'The address is one that tools may not reach (`outbound.allow`).',
  },
  context_length_exceeded: {
    status: 400,
    meaning: 'The input does not fit the context window of the model.',
  },
  not_cancellable: { status: 400, meaning: 'Only background responses can be cancelled.' },
  content_filter: { status: 400, meaning: 'The model provider refused the input by its content policy.' },
  invalid_credential: {
    status: 401,
    meaning: 'The credential is missing, malformed, expired or not valid here.',
  },
  PermissionDenied: { status: 403, meaning: 'The credential is valid, but its roles do not allow this.' },
  preview_feature_required: {
    status: 403,
    meaning: 'The operation is in preview and needs its `Foundry-Features` key.',
  },
  agent_disabled: { status: 403, meaning: 'The agent is disabled and takes no requests.' },
  insecure_transport: { status: 403, meaning: 'Plain HTTP is served to loopback clients only; use https.' },
  not_found: { status: 404, meaning: 'There is no such route or resource.' },
  DeploymentNotFound: { status: 404, meaning: 'No model deployment has this name.' },
  previous_response_not_found: { status: 404, meaning: '`previous_response_id` names no stored response.' },
  RecordingNotFound: {
    status: 404,
    meaning: 'The recording that is replayed has no such request; the nearest is named.',
  },
  method_not_allowed: { status: 405, meaning: 'The path exists, but not with this method; see `Allow`.' },
  request_timeout: {
    status: 408,
    meaning: 'The request did not come in time (`limits.bodyIdleSeconds`).',
  },
  conflict: { status: 409, meaning: 'The state of the resource does not allow this.' },
  conversation_locked: { status: 409, meaning: 'Another response is being written to the conversation.' },
  quota_exceeded: {
    status: 403,
    meaning:
      'A budget is used up, such as agents of a project; `target` names it. Delete some, or have it raised.',
  },
  payload_too_large: { status: 413, meaning: 'The body is larger than the configured limit.' },
  unsupported_media_type: { status: 415, meaning: 'The `Content-Type` is not one the operation takes.' },
  range_not_satisfiable: { status: 416, meaning: 'The `Range` begins beyond the end of the content.' },
  unprocessable: {
    status: 422,
    meaning: 'Well-formed, but the fields contradict each other or cannot be fulfilled.',
  },
  rate_limit_exceeded: {
    status: 429,
    meaning: 'Too many requests, here or at the model provider; see `Retry-After`.',
  },
  client_disconnected: { status: 499, meaning: 'The client went away before its answer was finished.' },
  server_error: { status: 500, meaning: 'A fault of this server.' },
  not_implemented: { status: 501, meaning: 'The operation is part of the contract, but not built yet.' },
  model_error: { status: 502, meaning: 'The model provider answered with something unusable.' },
  service_unavailable: {
    status: 503,
    meaning: 'The model deployment cannot be reached, or the server is stopping.',
  },
  insufficient_storage: {
    status: 507,
    meaning: 'The disk of the server is nearly full (`limits.diskFreeBytes`); nothing more is written.',
  },
} as const satisfies Record<string, { status: number; meaning: string }>;

export type ErrorCode = keyof typeof catalogue;

/** The error of the catalogue's `code`, with a message that says what to do next. */
export function apiError(code: ErrorCode, message: string, options: ApiErrorOptions = {}): ApiError {
  return new ApiError(catalogue[code].status, code, message, options);
}

export const notFound = (noun: string, name: string, target: string | null = null): ApiError =>
  apiError('not_found', `No ${noun} '${name}' exists in this project.`, { target });

export const invalidPayload = (target: string, message: string): ApiError =>
  apiError('invalid_payload', message, { target });

export const invalidParameter = (target: string, message: string): ApiError =>
  apiError('invalid_parameter', message, { target });

export const missingParameter = (
  target: string,
  message = `Missing required parameter: '${target}'.`,
): ApiError => apiError('missing_required_parameter', message, { target });

/** To be repeated when the server is back; clients do so by themselves. */
export const stopping = (): ApiError =>
  apiError('service_unavailable', 'The server is stopping. Repeat the request.', {
    headers: { 'retry-after': '1' },
  });

export const unsupportedParameter = (target: string, message: string): ApiError =>
  apiError('unsupported_parameter', message, { target });

/** State conflicts do not go away by repeating the request, and OpenAI clients repeat every 409 unless told. */
export const conflict = (message: string, target: string | null = null): ApiError =>
  apiError('conflict', message, { target, retry: false });
