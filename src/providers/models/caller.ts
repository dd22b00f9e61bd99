import type { CallFaults } from '../../kit/call-faults.ts';
import type { Context } from '../../kit/context.ts';

/** Whom a model is called for: limits are counted by it. */
export interface ModelCaller {
  project: string;
  /** Id of the key or subject; null where it is not known any more. */
  key: string | null;
  /** Whether it would rather wait for its turn, for a while, than be refused. */
  isPatient: boolean;
  /** What fault plans have in store for its calls; null for nothing. */
  faults?: CallFaults | null;
  /** Is told what is left of the limits that the call counts for, as headers of the answer. */
  told?(headers: Record<string, string>): void;
}

export const callerOf = (ctx: Context): ModelCaller => ({
  project: ctx.project,
  key: ctx.principal.id,
  isPatient: false,
  faults: ctx.faults,
  told: (headers) => ctx.answerHeaders(headers),
});

/** Work for a project that no request waits for by the second. */
export const patientCaller = (
  project: string,
  key: string | null = null,
  faults: CallFaults | null = null,
): ModelCaller => ({
  project,
  key,
  isPatient: true,
  faults,
});
