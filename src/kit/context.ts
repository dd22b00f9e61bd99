import type { Logger } from 'pino';
import type { Principal } from '../trust/principal.ts';
import type { CallFaults } from './call-faults.ts';
import type { OperationAction } from './data-action.ts';

/** What a service knows of the request it serves. */
export interface Context {
  readonly project: string;
  readonly principal: Principal;
  readonly requestId: string;
  /** `https://HOST[:PORT]/api/projects/PROJECT`, as the client sees it; for links in bodies and headers. */
  readonly projectUrl: string;
  /** The `api-version` of the request; `v1` where the route takes none. */
  readonly apiVersion: string;
  /** The agent whose own endpoint was called; null on project routes. */
  readonly endpointAgent: string | null;
  /** The `x-ms-user-identity` the caller acts for. Records of one identity are invisible to another. */
  readonly userIdentity: string | null;
  /** What fault plans have in store for it; null where none applies. */
  readonly faults: CallFaults | null;
  /** Refuses a preview feature that the caller did not opt in to with its `Foundry-Features` key. */
  requireFeature(key: string, what: string): void;
  /** Refuses what the caller's roles do not allow in the project, besides the operation itself. */
  requireAction(action: OperationAction): void;
  /** Aborts when the client goes away or the server stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Adds a phase to the `Server-Timing` header. */
  timing(phase: string, milliseconds: number): void;
  header(name: string): string | undefined;
  /** Adds headers to the answer, as long as it has not begun. */
  answerHeaders(headers: Record<string, string>): void;
}
