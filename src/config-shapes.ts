import Type from 'typebox';

/** Shapes that the sections of the configuration share. */

export const closed = { additionalProperties: false } as const;

export { projectName, projectNameRule } from './kit/project-name.ts';

/** `rule` replaces the pattern in error messages. */
export const Text = (pattern: RegExp, rule: string, description: string) =>
  Type.String({ pattern: pattern.source, rule: `be ${rule}`, description });

export const bound = (minimum: number, maximum: number, fallback: number) =>
  Type.Optional(Type.Integer({ minimum, maximum, default: fallback }));

/** The declared default of a key of the file. */
export function defaultOf<T>(schema: object): T {
  return (schema as { default: T }).default;
}
