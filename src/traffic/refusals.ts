import { type ApiError, apiError } from '../errors.ts';
import type { RateLimit, Refusal } from './rate-limit.ts';

/** `Retry-After` in whole seconds, never too short, and `retry-after-ms` for those who read it. */
export function retryHeaders(milliseconds: number): Record<string, string> {
  const exact = Math.max(1, Math.ceil(milliseconds));
  return { 'retry-after': String(Math.ceil(exact / 1000)), 'retry-after-ms': String(exact) };
}

/** What a limit tells before it is met. Resets are in whole seconds, as Azure has them. */
export function limitHeaders(limit: RateLimit, now: number): Record<string, string> {
  const { unit, limit: most } = limit.terms;
  return {
    [`x-ratelimit-limit-${unit}`]: String(most),
    [`x-ratelimit-remaining-${unit}`]: String(limit.remaining(now)),
    [`x-ratelimit-reset-${unit}`]: String(Math.ceil(limit.untilReset(now) / 1000)),
  };
}

export function rateLimited({ limit, milliseconds }: Refusal, units: number, now: number): ApiError {
  const { description, target, unit, limit: most } = limit.terms;
  if (milliseconds === Number.POSITIVE_INFINITY) {
    return apiError(
      'rate_limit_exceeded',
      `${description}; this request alone comes to ${units} ${unit}. Make it smaller, or raise the limit.`,
      { target, headers: limitHeaders(limit, now), retry: false },
    );
  }
  const retry = retryHeaders(milliseconds);
  return apiError(
    'rate_limit_exceeded',
    `${description}; the ${most} are used up. Repeat the request after ${retry['retry-after']} seconds.`,
    { target, headers: { ...limitHeaders(limit, now), ...retry } },
  );
}

/** Too much at once: nobody knows when there is room again, but it is soon. */
export const tooManyAtOnce = (description: string, target: string): ApiError =>
  apiError('rate_limit_exceeded', `${description}. Repeat the request when others have ended.`, {
    target,
    headers: retryHeaders(1000),
  });
