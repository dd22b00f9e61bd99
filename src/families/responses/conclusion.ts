import { ApiError } from '../../errors.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { Database } from '../../storage/database.ts';
import type { Owner } from '../conversations/store.ts';
import type { EventLog, TerminalEvent } from './events.ts';
import { closeOpenItems } from './open-items.ts';
import type { Plan } from './plan.ts';
import { failedEvent } from './run.ts';
import type { ResponseStore } from './store.ts';
import type { TraceWriter } from './trace.ts';

/** A response that is about to end. */
export interface Conclusion {
  plan: Pick<Plan, 'record' | 'hold' | 'store'>;
  owner: Owner;
  events: EventLog;
  /** What is stored of it: nothing yet, its beginning, or, in the background, all events up to the last. */
  stored: 'nothing' | 'beginning' | 'background';
  /** Null where the process that wrote it is gone. */
  trace: TraceWriter | null;
}

export interface Concluder {
  /** Stores the end and makes it visible; in the same transaction the turn joins its conversation. */
  conclude(conclusion: Conclusion, end: TerminalEvent): Promise<void>;
  /** The same for a response that clients know of: should its end not be storable, it ends by a failure. Never throws. */
  concludeVisibly(conclusion: Conclusion, end: TerminalEvent): Promise<void>;
}

export function concluder(store: ResponseStore, log: ModelLog): Concluder {
  const persist = async (
    { plan, owner, events, stored, trace: writer }: Conclusion,
    end: TerminalEvent,
    lines: string[],
  ) => {
    const { record, hold } = plan;
    const status = end.change.status ?? 'failed';
    const trace = writer?.finish() ?? null;
    const joins = hold !== null && (status === 'completed' || status === 'incomplete');
    const save = async (on?: Database): Promise<void> => {
      if (!plan.store) return;
      if (stored === 'nothing') await store.insert(record, owner, status, lines, { on, trace });
      else if (stored === 'beginning') await store.update(owner, record.id, { status, lines, trace }, on);
      else if (on !== undefined) await store.conclude(owner, record.id, { status, lines, trace }, on);
    };
    if (!joins && stored !== 'background') {
      await save();
      await hold?.release();
      return;
    }
    await store.transaction(async (on) => {
      await save(on);
      if (joins) await hold.commit([...record.input, ...events.response.output], record.agent, on);
    });
    if (!joins) await hold?.release();
  };

  const conclude = (conclusion: Conclusion, end: TerminalEvent): Promise<void> => {
    const { events } = conclusion;
    if (end.change.status !== 'completed') closeOpenItems(events, (event) => events.append(event));
    return events.conclude(end, (lines) => persist(conclusion, end, lines));
  };

  return {
    conclude,
    async concludeVisibly(conclusion, end) {
      try {
        await conclude(conclusion, end).catch((error: unknown) => {
          logUnlessExpected(log, error);
          return conclude(conclusion, failedEvent(error));
        });
      } catch (error) {
        log.warn({ err: error, response: conclusion.plan.record.id }, 'a response could not be stored');
        conclusion.events.breakOff();
      }
    },
  };
}

/** What the catalogue knows has been told to the client; anything else is a fault of ours. */
export function logUnlessExpected(log: ModelLog, error: unknown): void {
  if (!(error instanceof ApiError)) log.warn({ err: error }, 'a response failed');
}
