/** Takes what proves who asks out of texts that others write: servers quote it in errors, and some in answers. */
export type Redaction = (text: string) => string;

const shortest = 6;
const secretName = /auth|cookie|credential|key|passw|secret|token/i;

/** In errors no value of a header is shown; in answers none of those that are secret by their name. */
export function redactions(headers: Record<string, string>): { errors: Redaction; answers: Redaction } {
  const entries = Object.entries(headers);
  return {
    errors: redaction(entries.map(([, value]) => value)),
    answers: redaction(entries.flatMap(([name, value]) => (secretName.test(name) ? [value] : []))),
  };
}

function redaction(values: string[]): Redaction {
  const parts = values.flatMap((value) => [value, ...value.split(/\s+/).slice(1)]);
  const longestFirst = parts.filter((part) => part.length >= shortest).sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((rest, part) => rest.replaceAll(part, '[redacted]'), text);
}
