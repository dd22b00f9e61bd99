import { ApiError, apiError, stopping } from '../../errors.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { TraceSink } from '../../providers/telemetry/sink.ts';
import type { Owner } from '../conversations/store.ts';
import { type BackgroundLimits, backgroundWork, cancelled } from './background.ts';
import { type Conclusion, concluder, logUnlessExpected } from './conclusion.ts';
import { EventLog } from './event-log.ts';
import type { TerminalEvent } from './events.ts';
import type { LiveResponse } from './live.ts';
import type { Plan } from './plan.ts';
import { failedEvent, run } from './run.ts';
import type { ResponseStore, UnfinishedResponse } from './store.ts';

export interface ResponseEngine {
  /** Runs a plan to its end and returns its log; throws what the model throws, and then nothing is stored. */
  answer(plan: Plan, owner: Owner, caller: AbortSignal): Promise<EventLog>;
  /** Starts a plan whose events are read as they come. Throws when the model fails before its first event. */
  stream(plan: Plan, owner: Owner, caller: AbortSignal): Promise<LiveResponse>;
  /** Queues a plan to be run whether anybody listens or not. */
  background(plan: Plan, owner: Owner): Promise<LiveResponse>;
  find(id: string, owner: Owner): LiveResponse | undefined;
  /** Ends a background response and waits for its end. */
  cancel(response: LiveResponse): Promise<void>;
  /** Ends all that is under way in a project, and waits for it. */
  endAll(project: string, reason: ApiError): Promise<void>;
  /** Takes up, or ends, what a process that is gone has left unfinished. */
  recover(replan: Replan): Promise<void>;
  /** Background responses that run and that wait. */
  load(): { running: number; waiting: number };
  /** Waits for responses under way; after the limit they are ended with an error event. */
  drain(milliseconds: number): Promise<void>;
}

/** Makes the plan of an unfinished background response anew. Throws when it can't be taken up. */
export type Replan = (unfinished: UnfinishedResponse) => Promise<{ plan: Plan; events: EventLog }>;

/** How long the first event is waited for, so that an early failure is told by status instead of in the stream. */
const graceMilliseconds = 400;
const openingLines = 2;

export function responseEngine(
  store: ResponseStore,
  limits: BackgroundLimits,
  log: ModelLog,
  traces: TraceSink | null = null,
): ResponseEngine {
  const live = new Map<string, LiveResponse>();
  const conclusions = concluder(store, log, traces);
  const background = backgroundWork(store, live, conclusions, limits, log);
  /** Those of them whose callers are waiting. */
  const foreground = new Set<LiveResponse>();

  return {
    async answer(plan, owner, caller) {
      const events = opened(plan);
      const conclusion: Conclusion = { plan, owner, events, stored: 'nothing', trace: plan.run.trace };
      try {
        const end = await run(
          plan.run,
          events,
          caller,
          hooks(() => {}),
        );
        await conclusions.conclude(conclusion, end);
      } catch (error) {
        await plan.hold?.release();
        conclusions.tellFailure(conclusion, error);
        throw error;
      }
      return events;
    },

    async stream(plan, owner, caller) {
      const events = opened(plan);
      const conclusion: Conclusion = { plan, owner, events, stored: 'beginning', trace: plan.run.trace };
      const control = new AbortController();
      const abortWithCaller = () => control.abort(caller.reason);
      caller.addEventListener('abort', abortWithCaller, { once: true });
      if (caller.aborted) abortWithCaller();
      const concluded = Promise.withResolvers<void>();
      const response: LiveResponse = {
        log: events,
        owner,
        concluded: concluded.promise,
        abort: (reason) => control.abort(reason),
      };
      const leave = (): void => {
        live.delete(plan.record.id);
        foreground.delete(response);
        caller.removeEventListener('abort', abortWithCaller);
        concluded.resolve();
      };
      foreground.add(response);

      const first = Promise.withResolvers<void>();
      const ran: Promise<RunResult> = run(plan.run, events, control.signal, hooks(first.resolve)).then(
        (end) => ({ end, error: null }),
        (error: unknown) => ({ end: failedEvent(error), error }),
      );
      try {
        await firstSign(first.promise, ran);
        if (plan.store) {
          await store.insert(plan.record, owner, 'in_progress', events.lines.slice(0, openingLines));
        }
      } catch (error) {
        control.abort(error);
        await plan.hold?.release().catch((fault) => logUnlessExpected(log, fault));
        conclusions.tellFailure(conclusion, error);
        leave();
        throw error;
      }
      live.set(plan.record.id, response);
      void ran.then(async ({ end, error }) => {
        if (error !== null) logUnlessExpected(log, error);
        await conclusions.concludeVisibly(conclusion, end);
        leave();
      });
      return response;
    },

    background: (plan, owner) => background.submit(plan, owner),

    load: background.load,

    find(id, owner) {
      const found = live.get(id);
      const isTheirs =
        found?.owner.project === owner.project &&
        found.owner.userIdentity === owner.userIdentity &&
        (!owner.endpointAgent || found.log.response.agent_reference?.name === owner.endpointAgent);
      return isTheirs ? found : undefined;
    },

    async cancel(response) {
      response.abort(cancelled);
      await response.concluded;
    },

    async endAll(project, reason) {
      const theirs = [...live.values()].filter(({ owner }) => owner.project === project);
      for (const response of theirs) response.abort(reason);
      await Promise.all(theirs.map((response) => response.concluded));
    },

    async recover(replan) {
      for (const unfinished of await store.unfinished()) {
        const { record, owner, lines } = unfinished;
        let fault = apiError('server_error', 'The server stopped before the response was finished.');
        if (unfinished.background !== null) {
          try {
            const { plan, events } = await replan(unfinished);
            background.resume(plan, owner, events, lines.length);
            continue;
          } catch (error) {
            logUnlessExpected(log, error);
            if (error instanceof ApiError) fault = error;
          }
        }
        const events = new EventLog(lines);
        const plan = { record, hold: null, store: true };
        const stored = unfinished.background === null ? 'beginning' : 'background';
        await conclusions.concludeVisibly({ plan, owner, events, stored, trace: null }, failedEvent(fault));
      }
    },

    async drain(milliseconds) {
      const limit = setTimeout(() => {
        for (const response of foreground) response.abort(stopping());
      }, milliseconds);
      while (foreground.size > 0) {
        await Promise.all([...foreground].map((response) => response.concluded));
      }
      clearTimeout(limit);
      await background.suspend();
    },
  };
}

interface RunResult {
  end: TerminalEvent;
  error: unknown;
}

/** Callers who wait start again themselves, so nothing is kept for taking a run up. */
const hooks = (onFirstEvent: () => void) => ({ onFirstEvent, checkpoint: () => undefined });

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
