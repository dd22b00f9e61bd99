import type { ApiError } from '../../errors.ts';
import { isSecretHeader, spellings } from '../../kit/secret-names.ts';
import { toolFailure } from './tool-failure.ts';

/** Takes what proves who asks out of texts that others write: servers quote it in errors, and some in answers. */
export type Redaction = (text: string) => string;

export interface Redactions {
  errors: Redaction;
  answers: Redaction;
}

const shortest = 6;

/**
 * In errors no value of a header is shown; in answers none of those that are secret by their name. `secrets` are shown
 * in neither.
 */
export function redactions(headers: Record<string, string>, secrets: readonly string[] = []): Redactions {
  const entries = Object.entries(headers);
  return {
    errors: redaction([...secrets, ...entries.map(([, value]) => value)]),
    answers: redaction([
      ...secrets,
      ...entries.flatMap(([name, value]) => (isSecretHeader(name) ? [value] : [])),
    ]),
  };
}

/** An error without what is secret in its words. */
export function redactedFailure(error: ApiError, { errors }: Redactions): ApiError {
  const message = errors(error.message);
  return message === error.message ? error : toolFailure(message);
}

function redaction(values: string[]): Redaction {
  const parts = values.flatMap((value) => [value, ...value.split(/\s+/).slice(1)]);
  const written = parts.filter((part) => part.length >= shortest).flatMap(spellings);
  const longestFirst = [...new Set(written)].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((rest, part) => rest.replaceAll(part, '[redacted]'), text);
}
