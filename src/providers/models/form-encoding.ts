import { randomUUID } from 'node:crypto';

/**
 * A form as the body of a request; its type has the boundary. Files on disk stay there until they are sent. `fetch`
 * can take a `FormData` itself, but then reads its files faster than they go out, and keeps them in memory.
 */
export function encodedForm(form: FormData): Blob {
  // Types of blobs are in lower case.
  const boundary = `form-${randomUUID()}`;
  const parts: (string | Blob)[] = [];
  for (const [name, value] of form) {
    parts.push(`--${boundary}\r\nContent-Disposition: form-data; name="${quoted(name)}"`);
    if (typeof value === 'string') parts.push('\r\n\r\n', value);
    else {
      const type = value.type === '' ? 'application/octet-stream' : value.type;
      parts.push(`; filename="${quoted(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`, value);
    }
    parts.push('\r\n');
  }
  parts.push(`--${boundary}--\r\n`);
  return new Blob(parts, { type: `multipart/form-data; boundary=${boundary}` });
}

const quoted = (text: string): string => text.replace(/["\r\n]/g, encodeURIComponent);
