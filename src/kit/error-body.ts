import { ApiError, apiError } from '../errors.ts';
import type { Wire } from './operation.ts';

/** OpenAI's `type` member, by status. */
const types: Record<number, string> = {
  401: 'authentication_error',
  403: 'permission_error',
  429: 'rate_limit_error',
};

const typeOf = (status: number): string =>
  types[status] ?? (status >= 500 ? 'server_error' : 'invalid_request_error');

/** The one place where an error takes its wire form. Both halves carry `target` and `param`, so either reader is served. */
export function errorBody(error: ApiError, wire: Wire, requestId: string) {
  const common = { code: error.code, message: error.message, param: error.target, target: error.target };
  const tail = { details: error.details, additionalInfo: { request_id: requestId } };
  return wire === 'openai'
    ? { error: { ...common, type: typeOf(error.status), ...tail } }
    : { error: { ...common, ...(error.status === 403 ? { type: typeOf(400) } : {}), ...tail } };
}

/** What is not in the catalogue is a fault of this server, and nothing of its inside is told. */
export const asApiError = (thrown: unknown): ApiError =>
  thrown instanceof ApiError
    ? thrown
    : apiError(
        'server_error',
        'The server failed at this request. Its log tells more under the request id.',
        {
          cause: thrown,
        },
      );
