import { ApiError } from '../../errors.ts';
import { unixSeconds } from '../../kit/time.ts';
import { type ModelCaller, patientCaller } from '../../providers/models/caller.ts';
import type { ModelProvider, ModelRequest, ModelUsage } from '../../providers/models/model.ts';
import { announce } from './announcements.ts';
import { type ClientTool, clientTools } from './client-tools.ts';
import type { EventLog } from './event-log.ts';
import type { TerminalEvent } from './events.ts';
import type { Item } from './items.ts';
import { turnRequest } from './model-request.ts';
import { addUsage, type Progress } from './progress.ts';
import type { ItemReading } from './prompt.ts';
import type { RequestFields } from './request-fields.ts';
import type { CustomTool } from './request-parts.ts';
import { type PendingCall, serverItem, startServerCall } from './server-call-items.ts';
import type { Settings } from './settings.ts';
import { runCalls } from './tool-calls.ts';
import type { ToolSet } from './tool-set.ts';
import type { TraceCall, TraceWriter } from './trace.ts';
import { shorten } from './truncation.ts';
import { Turn, usageObject } from './turn.ts';
import type { Emit, ItemOptions } from './turn-items.ts';

/** All that a run needs: the model, what it is told and offered, and how to tell of it. */
export interface RunPlan {
  provider: ModelProvider;
  caller: ModelCaller;
  settings: Settings;
  fields: RequestFields;
  /** What came before, and the request's input. */
  base: Item[];
  items: ItemOptions;
  tools: ToolSet;
  reading: ItemReading;
  trace: TraceWriter;
  /** Calls that the request's input has approved, to be run before the model's first turn. */
  approved: Omit<PendingCall, 'outputIndex'>[];
  /** Calls that an earlier process had begun and that may be run again. */
  begun: PendingCall[];
  progress: Progress;
}

export interface RunHooks {
  onFirstEvent(): void;
  /** Called where a run could be taken up again; what it returns is awaited before the run goes on. */
  checkpoint(): Promise<void> | undefined;
}

const mostTurns = 256;
/** The same call with the same arguments this often is a loop that leads nowhere. */
const mostRepeats = 4;

/** Runs the model and its tools to the end, and logs all of it. Returns the closing event; throws when the model fails. */
export async function run(
  plan: RunPlan,
  log: EventLog,
  signal: AbortSignal,
  hooks: RunHooks,
): Promise<TerminalEvent> {
  try {
    return await runTurns(plan, log, signal, hooks);
  } finally {
    for (const { open } of plan.tools.opened) open.close?.();
  }
}

async function runTurns(
  plan: RunPlan,
  log: EventLog,
  signal: AbortSignal,
  hooks: RunHooks,
): Promise<TerminalEvent> {
  const emit: Emit = (event) => log.append(event);
  const { progress, settings, fields } = plan;
  const customTools = new Set(
    settings.tools.flatMap((tool) => (tool.type === 'custom' ? [(tool as CustomTool).name] : [])),
  );
  const ownTools = new Map(
    settings.tools.flatMap((tool): [string, ClientTool][] => {
      const own = clientTools.get(tool.type as string);
      return own === undefined ? [] : [[own.name, own]];
    }),
  );
  const runAndCheck = async (calls: PendingCall[]): Promise<void> => {
    // Before anything is done in the world, that it was begun has to be on record.
    progress.pending = Object.fromEntries(
      calls.map(({ id, call, outputIndex, approvalRequestId }) => [
        id,
        { ...call, outputIndex, ...(approvalRequestId === undefined ? {} : { approvalRequestId }) },
      ]),
    );
    await hooks.checkpoint();
    const traced = plan.trace.enter({ phase: 'tool_calls', calls: [] as TraceCall[] }).calls;
    const nextIndex = () => log.response.output.length;
    const { items: options, trace } = plan;
    const { faults = null } = plan.caller;
    await runCalls(calls, { emit, options, nextIndex, progress, trace, traced, faults }, signal);
    progress.pending = {};
    await hooks.checkpoint();
  };

  if (plan.begun.length > 0) await runAndCheck(plan.begun);
  else {
    if (await announce(plan, log.response.output.length, emit, signal)) await hooks.checkpoint();
    await runApproved(plan, log, emit, runAndCheck);
  }
  for (;;) {
    const left =
      fields.maxOutputTokens === null ? null : fields.maxOutputTokens - progress.usage.outputTokens;
    if (left !== null && left <= 0) return incomplete('max_output_tokens', progress);
    const mayCall = toolsAreOffered(plan);
    const turn = new Turn(emit, {
      ...plan.items,
      firstIndex: log.response.output.length,
      customTools,
      clientTools: ownTools,
      bindings: mayCall ? plan.tools.bindings : noBindings,
    });
    const call = plan.trace.enter({
      phase: 'model_call',
      deployment: settings.model,
      turn: progress.turns,
      first_event_ms: null as number | null,
      usage: null as ModelUsage | null,
      finish_reason: null as string | null,
    });
    const begun = plan.trace.elapsed;
    const isFirst = progress.turns === 0 && progress.toolCalls === 0;
    const request = turnRequest(plan, log.response.output, { mayCall, isFirst, maxOutputTokens: left });
    for await (const event of generate(plan, request, signal)) {
      call.first_event_ms ??= Math.round((plan.trace.elapsed - begun) * 1000) / 1000;
      turn.push(event);
      hooks.onFirstEvent();
    }
    if (turn.finish === null) throw new Error('A model call ended without its finish event.');
    const { reason, usage } = turn.finish;
    call.usage = usage;
    call.finish_reason = reason;
    addUsage(progress, usage);
    progress.turns++;
    if (reason === 'length' || reason === 'content_filter') {
      leaveUndone(turn.calls, plan, emit);
      return incomplete(reason === 'length' ? 'max_output_tokens' : 'content_filter', progress);
    }
    const calls = withinBudget(turn.calls, plan, emit);
    if (calls.length > 0) await runAndCheck(calls);
    if (turn.calls.length === 0 || turn.awaitsClient) return completed(progress);
  }
}

const noBindings = new Map<string, never>();

async function runApproved(
  plan: RunPlan,
  log: EventLog,
  emit: Emit,
  execute: (calls: PendingCall[]) => Promise<void>,
): Promise<void> {
  if (plan.approved.length === 0 || plan.progress.toolCalls > 0) return;
  const calls = plan.approved.map(({ call, ...approved }) => {
    const name = plan.tools.nameOf(approved.binding) ?? call.name;
    const pending = { ...approved, call: { ...call, name }, outputIndex: log.response.output.length };
    startServerCall(emit, plan.items, pending);
    return pending;
  });
  plan.progress.toolCalls += calls.length;
  await execute(calls);
}

function toolsAreOffered({ progress, fields }: RunPlan): boolean {
  if (progress.turns >= mostTurns) return false;
  if (fields.maxToolCalls !== null && progress.toolCalls >= fields.maxToolCalls) return false;
  return progress.mostRepeated < mostRepeats;
}

/** Counts calls, and leaves undone what is beyond `max_tool_calls`. */
function withinBudget(calls: PendingCall[], plan: RunPlan, emit: Emit): PendingCall[] {
  const { progress, fields } = plan;
  const budget =
    fields.maxToolCalls === null ? calls.length : Math.max(0, fields.maxToolCalls - progress.toolCalls);
  const run = calls.slice(0, budget);
  leaveUndone(calls.slice(budget), plan, emit);
  progress.toolCalls += run.length;
  for (const { call } of run) {
    const key = `${call.name} ${call.arguments}`;
    const count = (progress.repeats[key] ?? 0) + 1;
    progress.repeats[key] = count;
    progress.mostRepeated = Math.max(progress.mostRepeated, count);
  }
  return run;
}

function leaveUndone(calls: PendingCall[], { items, progress }: RunPlan, emit: Emit): void {
  for (const pending of calls) {
    const { id, call, outputIndex } = pending;
    progress.outputs[id] = { ...call, output: 'The call was not run: the response may make no more calls.' };
    const item = serverItem(items, pending, 'incomplete', {});
    emit({ type: 'response.output_item.done', output_index: outputIndex, item });
  }
}

const incomplete = (reason: 'max_output_tokens' | 'content_filter', { usage }: Progress): TerminalEvent => ({
  type: 'response.incomplete',
  change: { status: 'incomplete', incomplete_details: { reason }, usage: usageObject(usage) },
});

const completed = ({ usage }: Progress): TerminalEvent => ({
  type: 'response.completed',
  change: { status: 'completed', completed_at: unixSeconds(), usage: usageObject(usage) },
});

function generate(plan: RunPlan, request: ModelRequest, signal: AbortSignal) {
  return plan.fields.truncation === 'auto'
    ? generateTruncated(plan, request, signal)
    : generateOnce(plan, request, signal);
}

/** A first turn that is refused costs nothing and is told by status; later ones would lose what has been done. */
function generateOnce({ provider, caller, progress }: RunPlan, request: ModelRequest, signal: AbortSignal) {
  if (provider.generate === undefined) throw new Error('The deployment generates nothing.');
  const isLater = progress.turns > 0 || progress.toolCalls > 0;
  const { project, key, faults } = caller;
  return provider.generate(request, signal, isLater ? patientCaller(project, key, faults) : caller);
}

const mostTruncations = 8;

/** `truncation: auto`: the model is asked again with less as long as the context is too long. */
async function* generateTruncated(plan: RunPlan, request: ModelRequest, signal: AbortSignal) {
  let attempt = request;
  for (let truncations = 0; ; truncations++) {
    let started = false;
    try {
      for await (const event of generateOnce(plan, attempt, signal)) {
        started = true;
        yield event;
      }
      return;
    } catch (error) {
      const tooLong = error instanceof ApiError && error.code === 'context_length_exceeded';
      const shorter = shorten(attempt.messages);
      if (!tooLong || started || truncations === mostTruncations || shorter === null) throw error;
      attempt = { ...attempt, messages: shorter };
    }
  }
}

/** The event that ends a response whose run threw. */
export function failedEvent(error: unknown): TerminalEvent {
  const { code, message } =
    error instanceof ApiError
      ? { code: publicCodes[error.code] ?? error.code, message: error.message }
      : { code: 'server_error', message: 'The server failed at this response. Its log tells more.' };
  return { type: 'response.failed', change: { status: 'failed', error: { code, message } } };
}

/** OpenAI's word for failures on the way to the model. */
const publicCodes: Record<string, string> = {
  service_unavailable: 'server_error',
  model_error: 'server_error',
};
