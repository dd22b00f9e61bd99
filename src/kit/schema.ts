import Type, { type TNull, type TOptional, type TSchema, type TUnion } from 'typebox';

/** A field that may be absent or null, as most of Foundry's optional fields may. */
export const Maybe = <T extends TSchema>(schema: T): TOptional<TUnion<[T, TNull]>> =>
  Type.Optional(Type.Union([schema, Type.Null()]));

/** One of a few strings. */
export const OneOf = <const T extends string[]>(...values: T) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: values });

/** The same where newer clients may know more: what is not known asks for nothing that this server could do. */
export const Hint = (...values: string[]) => Type.String({ examples: values });

/** An object of any content, kept as it is. */
export const AnyObject = Type.Unsafe<Record<string, unknown>>({ type: 'object' });

/** Up to 16 pairs; keys up to 64 characters, values up to 512. */
export const Metadata = Type.Unsafe<Record<string, string>>({
  type: 'object',
  title: 'Metadata',
  maxProperties: 16,
  propertyNames: { maxLength: 64 },
  additionalProperties: { type: 'string', maxLength: 512 },
  description: 'Up to 16 string pairs; keys up to 64 characters, values up to 512.',
});

export const UnixSeconds = Type.Integer({ description: 'Unix time in seconds.' });
