/** What is sent, made anew for each attempt. */
import type { Outgoing } from './request.ts';
import type { Route } from './route.ts';

/** Null for none. A form's values are texts, files, lists of them (`a[]`), and objects (`a[b]`). */
export function bodyFor(
  { method, consumes }: Pick<Route, 'method' | 'consumes'>,
  body: unknown,
): Outgoing['body'] {
  if (body === undefined) return null;
  if (consumes === 'multipart/form-data') {
    return () => {
      const form = new FormData();
      for (const [name, value] of Object.entries(body as object)) append(form, name, value);
      return { content: form, type: null };
    };
  }
  const text = JSON.stringify(body);
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return () => ({ content: text, type });
}

function append(form: FormData, name: string, value: unknown): void {
  if (value === undefined || value === null) return;
  if (value instanceof Blob) form.append(name, value);
  else if (Array.isArray(value)) for (const one of value) append(form, `${name}[]`, one);
  else if (typeof value === 'object') {
    for (const [key, one] of Object.entries(value)) append(form, `${name}[${key}]`, one);
  } else form.append(name, String(value));
}
