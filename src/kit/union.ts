import Type, { type Static, type TSchema, type TUnsafe } from 'typebox';

/**
 * A union told apart by one property. JSON Schema's `anyOf` reports every branch's complaints at once and cannot
 * say what to do with a value of an unknown kind; this keyword picks the branch first, then validates only that.
 * The OpenAPI export turns it into `oneOf` with a `discriminator`.
 */
export interface UnionKeyword {
  property: string;
  variants: Record<string, TSchema>;
  /** The variant of an object without the property; without it the property is required. */
  fallback: ((value: object) => string) | null;
  /** Values of unknown kinds are kept as they are (newer clients), or refused. */
  unknown: 'keep' | 'refuse';
}

export interface UnionOptions {
  fallback?: (value: object) => string;
  unknown?: 'keep' | 'refuse';
  /** Its name in the OpenAPI document. */
  title?: string;
  description?: string;
}

export function UnionBy<const V extends Record<string, TSchema>>(
  property: string,
  variants: V,
  options: UnionOptions = {},
): TUnsafe<{ [K in keyof V]: Static<V[K]> }[keyof V]> {
  const keyword: UnionKeyword = {
    property,
    variants,
    fallback: options.fallback ?? null,
    unknown: options.unknown ?? 'refuse',
  };
  return Type.Unsafe({
    type: 'object',
    unionBy: keyword,
    ...(options.title === undefined ? {} : { title: options.title }),
    ...(options.description === undefined ? {} : { description: options.description }),
  });
}
