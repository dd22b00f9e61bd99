import Type, { type Static } from 'typebox';

/** What is written to the audit log, and how much of it is kept. */
export interface AuditConfig {
  /** Whether requests that change nothing are written, too. */
  reads: boolean;
  /** Size at which a file is put away and the next one begun. */
  megabytes: number;
  /** Files that are kept, the one being written among them. */
  files: number;
}

const defaults: AuditConfig = { reads: false, megabytes: 64, files: 10 };

export const Audit = Type.Object(
  {
    reads: Type.Optional(Type.Boolean({ default: defaults.reads })),
    megabytes: Type.Optional(Type.Integer({ minimum: 1, maximum: 4096, default: defaults.megabytes })),
    files: Type.Optional(Type.Integer({ minimum: 2, maximum: 10_000, default: defaults.files })),
  },
  { additionalProperties: false },
);

export const auditConfig = (given: Static<typeof Audit>): AuditConfig => ({ ...defaults, ...given });
