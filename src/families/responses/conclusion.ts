import { ApiError } from '../../errors.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { TraceSink } from '../../providers/telemetry/sink.ts';
import type { Database } from '../../storage/database.ts';
import type { Owner } from '../conversations/store.ts';
import { endedResponse } from './ended-response.ts';
import type { EventLog } from './event-log.ts';
import type { TerminalEvent } from './events.ts';
import { closeOpenItems } from './open-items.ts';
import type { Plan } from './plan.ts';
import { failedEvent } from './run.ts';
import type { ResponseStore } from './store.ts';
import type { ResponseTrace, TraceWriter } from './trace.ts';

/** A response that is about to end. */
export interface Conclusion {
  plan: Pick<Plan, 'record' | 'hold' | 'store'> & Partial<Pick<Plan, 'run'>>;
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
  /** Tells those who follow traces of a response that failed with nothing stored of it. */
  tellFailure(conclusion: Conclusion, error: unknown): void;
}

export function concluder(store: ResponseStore, log: ModelLog, traces: TraceSink | null = null): Concluder {
  const persist = async (
    { plan, owner, events, stored }: Conclusion,
    end: TerminalEvent,
    lines: string[],
    trace: ResponseTrace | null,
  ) => {
    const { record, hold } = plan;
    const status = end.change.status ?? 'failed';
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

  const tell = (
    { plan, owner, events }: Conclusion,
    end: TerminalEvent,
    trace: ResponseTrace | null,
  ): void => {
    const { record, run } = plan;
    if (traces === null || trace === null || run === undefined) return;
    traces.ended(endedResponse({ record, run }, owner, events, end, trace));
  };

  const tellFailure = (conclusion: Conclusion, error: unknown): void =>
    tell(conclusion, failedEvent(error), conclusion.trace?.finish() ?? null);

  const conclude = async (conclusion: Conclusion, end: TerminalEvent): Promise<void> => {
    const { events } = conclusion;
    if (end.change.status !== 'completed') closeOpenItems(events, (event) => events.append(event));
    const trace = conclusion.trace?.finish() ?? null;
    await events.conclude(end, (lines) => persist(conclusion, end, lines, trace));
    tell(conclusion, end, trace);
  };

  return {
    conclude,
    tellFailure,
    async concludeVisibly(conclusion, end) {
      try {
        await conclude(conclusion, end).catch((error: unknown) => {
          logUnlessExpected(log, error);
          return conclude(conclusion, failedEvent(error));
        });
      } catch (error) {
        log.warn({ err: error, response: conclusion.plan.record.id }, 'a response could not be stored');
        conclusion.events.breakOff();
        tellFailure(conclusion, error);
      }
    },
  };
}

/** What the catalogue knows has been told to the client; anything else is a fault of ours. */
export function logUnlessExpected(log: ModelLog, error: unknown): void {
  if (!(error instanceof ApiError)) log.warn({ err: error }, 'a response failed');
}
