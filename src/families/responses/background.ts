import { type ApiError, apiError } from '../../errors.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { Owner } from '../conversations/store.ts';
import { type Concluder, logUnlessExpected } from './conclusion.ts';
import { EventLog } from './event-log.ts';
import type { TerminalEvent } from './events.ts';
import type { LiveResponse } from './live.ts';
import type { Plan } from './plan.ts';
import { failedEvent, run } from './run.ts';
import type { ResponseStore } from './store.ts';

export interface BackgroundLimits {
  backgroundConcurrency: number;
  backgroundQueue: number;
}

export interface BackgroundWork {
  /** Queues a response durably. Throws 429 when the queue is full. */
  submit(plan: Plan, owner: Owner): Promise<LiveResponse>;
  /** Queues a response that an earlier process has left unfinished, with what is on record of it. */
  resume(plan: Plan, owner: Owner, events: EventLog, recorded: number): void;
  /** Lets go of all work without ending it: the next process takes it up. */
  suspend(): Promise<void>;
  /** How many run, and how many wait. */
  load(): { running: number; waiting: number };
}

interface Job {
  plan: Plan;
  owner: Owner;
  events: EventLog;
  control: AbortController;
  /** How many events are on record. */
  recorded: number;
  started: boolean;
  concluded: PromiseWithResolvers<void>;
}

/** Runs background responses, a bounded number at once, the rest waiting in the order they came. */
export function backgroundWork(
  store: ResponseStore,
  live: Map<string, LiveResponse>,
  { concludeVisibly }: Concluder,
  limits: BackgroundLimits,
  log: ModelLog,
): BackgroundWork {
  const waiting: Job[] = [];
  const running = new Set<Job>();
  let suspended = false;

  const next = (): void => {
    while (!suspended && running.size < limits.backgroundConcurrency) {
      const job = waiting.shift();
      if (job === undefined) return;
      running.add(job);
      void work(job).finally(() => {
        running.delete(job);
        next();
      });
    }
  };

  const work = async (job: Job): Promise<void> => {
    const { plan, owner, events, control } = job;
    let end: TerminalEvent;
    try {
      control.signal.throwIfAborted();
      if (!job.started) {
        job.started = true;
        events.append({ type: 'response.in_progress', change: { status: 'in_progress' } });
        await checkpoint(job);
      }
      end = await follow(job);
    } catch (error) {
      if (suspended) return leave(job);
      logUnlessExpected(log, error);
      end = control.signal.reason === cancelled ? cancelledEvent : failedEvent(error);
    }
    await concludeVisibly({ plan, owner, events, stored: 'background', trace: plan.run.trace }, end);
    live.delete(plan.record.id);
    job.concluded.resolve();
  };

  /** Streamed responses are recorded event by event and shown as recorded, others from checkpoint to checkpoint. */
  const follow = async (job: Job): Promise<TerminalEvent> => {
    const { plan, events, control } = job;
    const hooks = { checkpoint: () => checkpoint(job), onFirstEvent: () => {} };
    if (!plan.run.fields.stream) return run(plan.run, events, control.signal, hooks);
    let recording: Promise<void> | null = null;
    let fault: unknown = null;
    const record = (): void => {
      recording ??= recordNew(job)
        .catch((error) => {
          fault = error;
          control.abort(error);
        })
        .finally(() => {
          recording = null;
          if (fault === null && events.lines.length > job.recorded) record();
        });
    };
    const settled = async (): Promise<void> => {
      while (recording !== null) await recording;
    };
    const end = await run(plan.run, events, control.signal, {
      onFirstEvent: record,
      async checkpoint() {
        await settled();
        await checkpoint(job);
      },
    });
    await settled();
    if (fault !== null) throw fault;
    return end;
  };

  const recordNew = async (job: Job): Promise<void> => {
    const lines = job.events.lines.slice(job.recorded);
    await store.appendEvents(job.plan.record.id, job.recorded, lines);
    job.recorded += lines.length;
    job.events.publish(job.recorded);
  };

  const checkpoint = async (job: Job): Promise<void> => {
    const { plan, owner, events } = job;
    const lines = events.lines.slice(job.recorded);
    await store.checkpoint(owner.project, plan.record.id, job.recorded, lines, plan.run.progress);
    job.recorded += lines.length;
    events.publish(job.recorded);
  };

  const leave = async ({ plan, events, concluded }: Job): Promise<void> => {
    events.breakOff();
    await plan.hold?.release();
    live.delete(plan.record.id);
    concluded.resolve();
  };

  const enqueue = (job: Job): LiveResponse => {
    job.events.withhold(job.recorded);
    const response: LiveResponse = {
      log: job.events,
      owner: job.owner,
      concluded: job.concluded.promise,
      abort: (reason) => {
        job.control.abort(reason);
        // One that still waits is taken out of its turn: its end need not wait for a place.
        const at = waiting.indexOf(job);
        if (at < 0) return;
        waiting.splice(at, 1);
        void work(job);
      },
    };
    live.set(job.plan.record.id, response);
    waiting.push(job);
    next();
    return response;
  };

  return {
    async submit(plan, owner) {
      if (waiting.length >= limits.backgroundQueue) {
        await plan.hold?.release();
        throw apiError(
          'rate_limit_exceeded',
          `The queue of background responses is full (limits.backgroundQueue: ${limits.backgroundQueue}). Repeat the request later.`,
          { headers: { 'retry-after': '5' } },
        );
      }
      const events = new EventLog();
      events.append({ type: 'response.created', response: plan.initial });
      events.append({ type: 'response.queued', change: {} });
      try {
        plan.run.trace.enter({ phase: 'queue' });
        await store.insert(plan.record, owner, 'queued', events.lines, { blueprint: plan.blueprint });
      } catch (error) {
        await plan.hold?.release();
        throw error;
      }
      return enqueue(newJob(plan, owner, events, false));
    },

    resume(plan, owner, events, recorded) {
      const started = events.response.status !== 'queued';
      enqueue({ ...newJob(plan, owner, events, started), recorded });
    },

    load: () => ({ running: running.size, waiting: waiting.length }),

    async suspend() {
      suspended = true;
      const jobs = [...waiting.splice(0), ...running];
      for (const job of jobs) job.control.abort(suspension());
      await Promise.all(jobs.map((job) => (running.has(job) ? job.concluded.promise : leave(job))));
    },
  };
}

const newJob = (plan: Plan, owner: Owner, events: EventLog, started: boolean): Job => ({
  plan,
  owner,
  events,
  control: new AbortController(),
  recorded: events.lines.length,
  started,
  concluded: Promise.withResolvers<void>(),
});

/** The reason by which a response is cancelled. */
export const cancelled: ApiError = apiError('conflict', 'The response was cancelled.');

/** No event of the contract says "cancelled"; this one ends streams for every client, and the response tells. */
const cancelledEvent: TerminalEvent = { type: 'response.incomplete', change: { status: 'cancelled' } };

const suspension = () =>
  apiError('service_unavailable', 'The server is stopping; the response goes on when it is back.');
