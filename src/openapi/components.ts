import { type JsonSchema, mapSchemas } from './plain-schema.ts';

/** Shorter ones are easier to read where they stand. */
const shortestShared = 160;

/** Places that many schemas stand in, and lists, of which each resource has its own. */
const tellsNothing = /^(body|result|value|data|list|page|item)$/i;

/** What several operations share is told once, in `components.schemas`. Names depend on the contract alone. */
export class Components {
  readonly schemas: Record<string, JsonSchema> = {};
  readonly #uses = new Map<string, number>();
  readonly #names = new Map<string, string>();
  readonly #texts = new WeakMap<object, string>();

  /** To be called with every schema before the first is taken in. */
  count(schema: JsonSchema): void {
    const text = this.#textOf(schema);
    const uses = (this.#uses.get(text) ?? 0) + 1;
    this.#uses.set(text, uses);
    // What stands in a schema that is told once is told once.
    if (uses > 1) return;
    mapSchemas(schema, (inner) => {
      this.count(inner);
      return inner;
    });
  }

  /** The schema with references in place of what is shared; itself a reference, if it is. `hints` are names of the place, the outermost first. */
  take(schema: JsonSchema, hints: readonly string[], isVariant = false): JsonSchema {
    const text = this.#textOf(schema);
    const isShared = (this.#uses.get(text) ?? 0) > 1 && text.length >= shortestShared && !isNullable(schema);
    const isNamed = isVariant || schema.title !== undefined || schema.discriminator !== undefined;
    if (!isShared && !isNamed) return this.#inside(schema, hints);
    const known = this.#names.get(text);
    if (known !== undefined) return reference(known);
    const name = this.#freeName(schema, isVariant ? [hints.slice(-2).map(pascal).join('')] : hints);
    this.#names.set(text, name);
    // Taken before what is in it, so that the outer one is listed first.
    this.schemas[name] = {};
    this.schemas[name] = this.#inside(schema, [name]);
    return reference(name);
  }

  #textOf(schema: JsonSchema): string {
    const text = this.#texts.get(schema) ?? JSON.stringify(schema);
    this.#texts.set(schema, text);
    return text;
  }

  #inside(schema: JsonSchema, hints: readonly string[]): JsonSchema {
    const { discriminator } = schema as { discriminator?: Discriminator };
    const taken = mapSchemas(schema, (inner, place) => {
      const at =
        discriminator === undefined ? placed(hints, place) : [...hints, kindOf(inner, discriminator)];
      return this.take(inner, at, discriminator !== undefined);
    });
    if (discriminator === undefined) return taken;
    const variants = (taken.oneOf ?? taken.anyOf) as { $ref: string }[];
    const mapping = Object.entries(discriminator.mapping).map(([kind, i]) => [kind, variants[i]?.$ref]);
    return { ...taken, discriminator: { ...discriminator, mapping: Object.fromEntries(mapping) } };
  }

  #freeName(schema: JsonSchema, hints: readonly string[]): string {
    const own = schema.title ?? objectName(schema);
    const candidates = own === undefined ? [] : [pascal(String(own))];
    const words = hints.map(pascal);
    for (let from = words.length - 1; from >= 0; from--) {
      if (from === 0 || !tellsNothing.test(words[from] ?? '')) candidates.push(words.slice(from).join(''));
    }
    const free = candidates.find((name) => name !== '' && this.schemas[name] === undefined);
    if (free !== undefined) return free;
    const last = candidates.at(-1) ?? 'Schema';
    let number = 2;
    while (this.schemas[`${last}${number}`] !== undefined) number++;
    return `${last}${number}`;
  }
}

interface Discriminator {
  propertyName: string;
  mapping: Record<string, number>;
}

const isNullable = ({ anyOf }: JsonSchema): boolean =>
  Array.isArray(anyOf) && anyOf.some((one: JsonSchema) => one.type === 'null');

const reference = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });

/** Of a resource: what it calls itself by its `object`. */
function objectName(schema: JsonSchema): string | undefined {
  const { object } = (schema.properties ?? {}) as { object?: { const?: string } };
  return object?.const === undefined || tellsNothing.test(object.const) ? undefined : object.const;
}

/** An element of `tools` is a tool. */
function placed(hints: readonly string[], place: string): readonly string[] {
  if (place === '') return hints;
  if (place !== 'items') return [...hints, place];
  const last = hints.at(-1) ?? '';
  return [...hints.slice(0, -1), /[^s]s$/.test(last) ? last.slice(0, -1) : `${last}Item`];
}

/** A name for a variant: the one kind it is for, or that it is for the others. */
function kindOf(variant: JsonSchema, { propertyName }: Discriminator): string {
  const { [propertyName]: own } = (variant.properties ?? {}) as Record<string, JsonSchema>;
  const inner = (own?.anyOf as JsonSchema[] | undefined)?.[0] ?? own;
  const kinds = inner?.const === undefined ? ((inner?.enum as string[] | undefined) ?? []) : [inner.const];
  return kinds.length === 1 ? String(kinds[0]) : inner?.not === undefined ? 'other' : 'unknown';
}

export const pascal = (text: string): string =>
  text
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
