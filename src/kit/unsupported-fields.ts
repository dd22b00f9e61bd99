import { unsupportedParameter } from '../errors.ts';

/** A field of the contract that this server cannot honour. */
export interface UnsupportedField<Body> {
  field: keyof Body & string;
  /** Which values ask for nothing. */
  harmless?: (value: unknown) => boolean;
  advice: string;
}

/** Throws for what can't be honoured: nothing is dropped in silence. */
export function refuseUnsupportedFields<Body>(body: Body, fields: readonly UnsupportedField<Body>[]): void {
  for (const { field, harmless, advice } of fields) {
    const value = body[field];
    if (value === undefined || value === null || harmless?.(value)) continue;
    throw unsupportedParameter(field, `'${field}' can't be honoured as asked. ${advice}`);
  }
}
