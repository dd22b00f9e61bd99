import type { ApiError } from '../../errors.ts';
import type { Owner } from '../conversations/store.ts';
import type { EventLog } from './event-log.ts';

/** A response under way in this process. */
export interface LiveResponse {
  log: EventLog;
  owner: Owner;
  /** Settles when the response has ended, well or not, and what is to be stored of it is. Never rejects. */
  concluded: Promise<void>;
  abort(reason: ApiError): void;
}
