import { ApiError, apiError } from '../../errors.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { Database } from '../../storage/database.ts';
import type { Owner } from '../conversations/store.ts';
import { EventLog, type TerminalEvent } from './events.ts';
import type { Plan } from './plan.ts';
import { failedEvent, run } from './run.ts';
import type { ResponseStore } from './store.ts';

/** A response under way in this process. */
export interface LiveResponse {
  log: EventLog;
  owner: Owner;
  /** Settles when the response has ended, well or not, and what is to be stored of it is. Never rejects. */
  concluded: Promise<void>;
  abort(reason: ApiError): void;
}

export interface ResponseEngine {
  /** Runs a plan to its end and returns its log; throws what the model throws, and then nothing is stored. */
  answer(plan: Plan, owner: Owner, caller: AbortSignal): Promise<EventLog>;
  /** Starts a plan whose events are read as they come. Throws when the model fails before its first event. */
  stream(plan: Plan, owner: Owner, caller: AbortSignal): Promise<LiveResponse>;
  find(id: string, owner: Owner): LiveResponse | undefined;
  /** Ends what a process that is gone has left unfinished. */
  recover(): Promise<void>;
  /** Waits for responses under way; after the limit they are ended with an error event. */
  drain(milliseconds: number): Promise<void>;
}

/** How long the first event is waited for, so that an early failure is told by status instead of in the stream. */
const graceMilliseconds = 400;

export function responseEngine(store: ResponseStore, log: ModelLog): ResponseEngine {
  const live = new Map<string, LiveResponse>();

  /** Stores the end of a response and, in the same transaction, adds its turn to its conversation. */
  const persist = async (
    { plan, owner, events, isStored }: Conclusion,
    end: TerminalEvent,
    lines: string[],
  ): Promise<void> => {
    const { record, hold } = plan;
    const status = end.change.status ?? 'failed';
    const save = async (on?: Database) => {
      if (!plan.store) return;
      if (isStored) await store.update(owner.project, record.id, status, lines, on);
      else await store.insert(record, owner, status, lines, on);
    };
    if (hold === null || status === 'failed') {
      await save();
      await hold?.release();
      return;
    }
    await store.transaction(async (on) => {
      await save(on);
      await hold.commit([...record.input, ...events.response.output], record.agent, on);
    });
  };

  const conclude = (conclusion: Conclusion, end: TerminalEvent): Promise<void> =>
    conclusion.events.conclude(end, (lines) => persist(conclusion, end, lines));

  /** Concludes a response that clients already know of, in any case: should its end not be storable, by a failure. */
  const concludeVisibly = async (conclusion: Conclusion, end: TerminalEvent): Promise<void> => {
    try {
      await conclude(conclusion, end).catch((error: unknown) => {
        logUnlessExpected(log, error);
        return conclude(conclusion, failedEvent(error));
      });
    } catch (error) {
      log.warn({ err: error, response: conclusion.plan.record.id }, 'a response could not be stored');
      conclusion.events.breakOff();
    }
  };

  return {
    async answer(plan, owner, caller) {
      const events = opened(plan);
      try {
        const end = await run(plan.run, events, caller, () => {});
        await conclude({ plan, owner, events, isStored: false }, end);
      } catch (error) {
        await plan.hold?.release();
        throw error;
      }
      return events;
    },

    async stream(plan, owner, caller) {
      const events = opened(plan);
      const control = new AbortController();
      const abortWithCaller = () => control.abort(caller.reason);
      caller.addEventListener('abort', abortWithCaller, { once: true });
      if (caller.aborted) abortWithCaller();

      const first = Promise.withResolvers<void>();
      const ran: Promise<RunResult> = run(plan.run, events, control.signal, first.resolve).then(
        (end) => ({ end, error: null }),
        (error: unknown) => ({ end: failedEvent(error), error }),
      );
      try {
        await firstSign(first.promise, ran);
        if (plan.store)
          await store.insert(plan.record, owner, 'in_progress', events.lines.slice(0, openingLines));
      } catch (error) {
        control.abort(error);
        await plan.hold?.release();
        throw error;
      }
      const concluded = ran.then(async ({ end, error }) => {
        if (error !== null) logUnlessExpected(log, error);
        await concludeVisibly({ plan, owner, events, isStored: true }, end);
        live.delete(plan.record.id);
        caller.removeEventListener('abort', abortWithCaller);
      });
      const response = { log: events, owner, concluded, abort: (reason: ApiError) => control.abort(reason) };
      live.set(plan.record.id, response);
      return response;
    },

    find(id, owner) {
      const found = live.get(id);
      const isTheirs =
        found?.owner.project === owner.project && found.owner.userIdentity === owner.userIdentity;
      return isTheirs ? found : undefined;
    },

    async recover() {
      for (const { project, id, lines } of await store.unfinished()) {
        const end = failedEvent(
          apiError('server_error', 'The server stopped before the response was finished.'),
        );
        const line = JSON.stringify({ ...end, sequence_number: lines.length });
        await store.update(project, id, 'failed', [...lines, line]);
      }
    },

    async drain(milliseconds) {
      const limit = setTimeout(() => {
        for (const response of live.values()) response.abort(stopping());
      }, milliseconds);
      while (live.size > 0) await Promise.all([...live.values()].map((response) => response.concluded));
      clearTimeout(limit);
    },
  };
}

interface Conclusion {
  plan: Plan;
  owner: Owner;
  events: EventLog;
  /** Whether a row is there already. */
  isStored: boolean;
}

interface RunResult {
  end: TerminalEvent;
  error: unknown;
}

const openingLines = 2;

function opened(plan: Plan): EventLog {
  const events = new EventLog();
  events.append({ type: 'response.created', response: plan.initial });
  events.append({ type: 'response.in_progress', change: {} });
  return events;
}

/** Settles with the first event, or when it is not waited for any longer; throws when the model fails before that. */
async function firstSign(first: Promise<void>, ran: Promise<RunResult>): Promise<void> {
  const patience = Promise.withResolvers<null>();
  const timer = setTimeout(patience.resolve, graceMilliseconds, null);
  const sign = await Promise.race([first, ran, patience.promise]);
  clearTimeout(timer);
  if (sign?.error) throw sign.error;
}

const stopping = () =>
  apiError('service_unavailable', 'The server is stopping. Repeat the request.', {
    headers: { 'retry-after': '1' },
  });

/** What the catalogue knows has been told to the client; anything else is a fault of ours. */
function logUnlessExpected(log: ModelLog, error: unknown): void {
  if (!(error instanceof ApiError)) log.warn({ err: error }, 'a response failed');
}
