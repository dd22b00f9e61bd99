import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError, apiError, type ErrorCode } from '../errors.ts';
import { PlannedFault } from '../faults/planned-fault.ts';
import { asApiError, errorBody } from '../kit/error-body.ts';
import type { Wire } from '../kit/operation.ts';

export function sendError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = toApiError(thrown);
  // Whatever else the catalogue has is no fault of ours.
  if (error.code === 'server_error' && !(error instanceof PlannedFault)) {
    request.log.error({ err: thrown, requestId: request.id }, 'request failed');
  }
  reply
    .code(error.status)
    .headers(error.headers)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(errorBody(error, wireOf(request), request.id)));
}

/** Unmatched paths have no operation: there the path itself tells which half was meant. */
export function wireOf(request: FastifyRequest): Wire {
  const { operation } = request.routeOptions.config;
  if (operation !== undefined) return operation.wire;
  return /^\/api\/projects\/[^/]+\/(openai\/|agents\/[^/]+\/endpoint\/protocols\/openai)/.test(request.url)
    ? 'openai'
    : 'foundry';
}

const notJson = 'The body is not well-formed JSON.';

/** Fastify's own failures, in our catalogue. */
const frameworkCodes: Record<string, { code: ErrorCode; message: string; target: string | null }> = {
  FST_ERR_CTP_BODY_TOO_LARGE: {
    code: 'payload_too_large',
    message: 'The body is larger than this server takes (limits.bodyBytes in its configuration).',
    target: null,
  },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'invalid_json', message: notJson, target: 'body' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported_media_type',
    message: 'The Content-Type of the request is not supported here; send application/json.',
    target: 'Content-Type',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: {
    code: 'invalid_json',
    message: 'The body is shorter or longer than its Content-Length.',
    target: 'Content-Length',
  },
  FST_ERR_BAD_URL: {
    code: 'invalid_parameter',
    message: 'The path is not a valid URL path.',
    target: 'path',
  },
  FST_ERR_MAX_PARAM_LENGTH: {
    code: 'invalid_parameter',
    message: 'A path segment is too long.',
    target: 'path',
  },
};

export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  const known = frameworkCodes[(thrown as FastifyError | undefined)?.code ?? ''];
  if (known !== undefined) return apiError(known.code, known.message, { target: known.target });
  if (thrown instanceof SyntaxError && (thrown as FastifyError).statusCode === 400) {
    return apiError('invalid_json', notJson, { target: 'body' });
  }
  if (thrown instanceof RangeError && thrown.message.includes('call stack')) {
    return apiError('invalid_payload', 'The body is nested too deeply.', { target: 'body' });
  }
  return asApiError(thrown);
}
