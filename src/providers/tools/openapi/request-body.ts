import { invalidPayload, unsupportedParameter } from '../../../errors.ts';
import { isRecord } from '../../../kit/record.ts';
import { toolFailure } from '../tool-failure.ts';
import type { Node, References } from './references.ts';
import { type ParameterStyle, pairs, plain } from './serialise-parameter.ts';

export interface BodyForm {
  kind: 'json' | 'form' | 'multipart' | 'text';
  contentType: string;
  required: boolean;
  description: string | null;
  schema: unknown;
  /** How single fields of a form are written, where the document says. */
  encoding: Node;
  target: string;
}

const kinds: [BodyForm['kind'], RegExp][] = [
  ['json', /^application\/(?:[\w.-]+\+)?json\b/i],
  ['form', /^application\/x-www-form-urlencoded\b/i],
  ['multipart', /^multipart\/form-data\b/i],
  ['text', /^text\//i],
  ['json', /^\*\/\*/],
];

/** How an operation takes its body; null where it takes none. Kinds that can't be sent are refused where one is needed. */
export function readBody(given: unknown, refs: References, place: string): BodyForm | null {
  if (given === undefined) return null;
  const { node, target } = refs.resolve(given, place);
  if (!isRecord(node.content))
    throw invalidPayload(`${target}.content`, `'${target}.content' must be an object.`);
  const types = Object.keys(node.content);
  for (const [kind, pattern] of kinds) {
    const contentType = types.find((type) => pattern.test(type));
    if (contentType === undefined) continue;
    const media = refs.resolve(node.content[contentType], `${target}.content.${contentType}`);
    return {
      kind,
      contentType: contentType.startsWith('*') ? 'application/json' : contentType,
      required: node.required === true,
      description: typeof node.description === 'string' ? node.description : null,
      schema: media.node.schema ?? {},
      encoding: isRecord(media.node.encoding) ? media.node.encoding : {},
      target: media.target,
    };
  }
  if (node.required !== true) return null;
  throw unsupportedParameter(
    `${target}.content`,
    `Bodies of ${types.map((type) => `'${type}'`).join(', ') || 'no type'} can't be sent: JSON, forms and text can. Leave the operation out.`,
  );
}

/** The body as it is sent; multipart bodies bring their own content type. */
export function writeBody(
  { kind, contentType, encoding }: BodyForm,
  value: unknown,
): { body: string | FormData; contentType: string | null } {
  switch (kind) {
    case 'json':
      return { body: JSON.stringify(value), contentType };
    case 'text':
      return { body: plain(value), contentType };
    case 'form':
      return { body: formText(fields(value), encoding), contentType };
    case 'multipart':
      return { body: multipart(fields(value)), contentType: null };
  }
}

function fields(value: unknown): [string, unknown][] {
  if (!isRecord(value)) throw toolFailure('The body must be an object with the fields of the form.');
  return Object.entries(value).filter(([, one]) => one !== null && one !== undefined);
}

function formText(entries: [string, unknown][], encoding: Node): string {
  return entries
    .flatMap(([name, value]) => {
      const given = Object.hasOwn(encoding, name) ? encoding[name] : undefined;
      const form = isRecord(given) ? given : {};
      const style = (typeof form.style === 'string' ? form.style : 'form') as ParameterStyle;
      const explode = typeof form.explode === 'boolean' ? form.explode : style === 'form';
      // Objects are JSON unless the document says how else they are written.
      const json = isRecord(value) && form.style === undefined;
      return pairs({ name, style, explode, json, allowReserved: form.allowReserved === true }, value);
    })
    .join('&');
}

function multipart(entries: [string, unknown][]): FormData {
  const form = new FormData();
  for (const [name, value] of entries) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (isRecord(one)) form.append(name, new Blob([JSON.stringify(one)], { type: 'application/json' }));
      else form.append(name, plain(one));
    }
  }
  return form;
}
