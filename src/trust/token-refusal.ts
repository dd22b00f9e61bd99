/** What is wrong with an access token, in the words that its holder is told. */
import { type ApiError, apiError } from '../errors.ts';

/** No `claims=` challenge: on that the Azure SDKs would fetch a token again and repeat the request. */
export function invalidToken(message: string): ApiError {
  const description = message.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7e]/g, '?');
  return apiError('invalid_credential', message, {
    target: 'Authorization',
    headers: { 'www-authenticate': `Bearer error="invalid_token", error_description="${description}"` },
  });
}

export const expiredToken = (unixSeconds: number): ApiError =>
  invalidToken(`The access token expired at ${dateOf(unixSeconds)}.`);

/** A claim may hold any number, and not every number is a date. */
function dateOf(unixSeconds: unknown): string {
  const date = new Date(Number(unixSeconds) * 1000);
  return Number.isNaN(date.getTime()) ? 'a time that is no date' : date.toISOString();
}

const longestQuote = 200;
export const quoted = (value: unknown): string => `'${String(value).slice(0, longestQuote)}'`;

export interface Expected {
  audiences: readonly string[];
  algorithm: string;
}

interface JoseError {
  code?: string;
  claim?: string;
  reason?: string;
  payload?: Record<string, unknown>;
}

/** A failure of `jose` in our words; anything else as it is. */
export function tokenRefusal(error: unknown, { audiences, algorithm }: Expected): unknown {
  const { code, claim, payload, reason } = error as JoseError;
  switch (code) {
    case 'ERR_JWT_EXPIRED':
      return expiredToken(Number(payload?.exp));
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return invalidToken('The access token has a bad signature.');
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      if (claim === 'aud' && payload?.aud !== undefined) {
        return invalidToken(
          `The access token is for the audience ${quoted(payload.aud)}, but this server expects '${audiences.join("' or '")}'.`,
        );
      }
      if (claim === 'nbf' && reason === 'check_failed') {
        return invalidToken(
          `The access token is not valid before ${dateOf(payload?.nbf)}; compare the clocks.`,
        );
      }
      return invalidToken(
        `The access token is malformed: its claim '${claim}' is missing, wrong or of a wrong type.`,
      );
    default:
      if (code?.startsWith('ERR_J')) {
        return invalidToken(
          `The access token is malformed: it is not a JSON web token signed with ${algorithm}.`,
        );
      }
      return error;
  }
}
