import { type ApiError, apiError } from '../errors.ts';
import { mostExchanges, mostFileBytes } from './format.ts';

export const quotaExceeded = (): ApiError =>
  apiError(
    'quota_exceeded',
    `The recording is full: it may have ${mostExchanges} exchanges and ${mostFileBytes} bytes. Begin another one with \`bloomery record\`.`,
    { target: 'recording', retry: false },
  );

/** The words of the system are not told: they may hold addresses that clients need not know. */
export const unreachable = (code: string | undefined): ApiError =>
  apiError(
    'service_unavailable',
    `The upstream of the recorder cannot be reached${code === undefined ? '' : ` (${code})`}. See whether it runs, and whether --upstream and --upstream-ca are right.`,
    { retry: false },
  );

export const strange = (): ApiError =>
  apiError(
    'invalid_credential',
    'The recorder calls its upstream with a credential of its own, so it takes only those who have the key that it printed when it began. Send that as api-key, or as bearer token.',
  );

export const clientLeft = (): ApiError =>
  apiError('client_disconnected', 'Its client left before the answer came, so it is not recorded.');

export const noRoom = (most: number): ApiError =>
  apiError('rate_limit_exceeded', `Up to ${most} bytes of requests and answers are held at once here.`, {
    headers: { 'retry-after': '1' },
  });

export const foreignOrigin = (): ApiError =>
  apiError(
    'invalid_parameter',
    'Pages of other sites are not answered here. Call this server from a program, or from a page of localhost.',
    { target: 'Origin', retry: false },
  );

export const tooMany = (most: number): ApiError =>
  apiError('rate_limit_exceeded', `Up to ${most} requests are answered at once here.`, {
    headers: { 'retry-after': '1' },
  });
