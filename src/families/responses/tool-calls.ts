import { ApiError, apiError } from '../../errors.ts';
import type { CallFaults } from '../../kit/call-faults.ts';
import type { ServerTool, ToolEvent, ToolEventType, ToolResult } from '../../providers/tools/tool.ts';
import type { Progress } from './progress.ts';
import { endServerCall, type PendingCall } from './server-call-items.ts';
import { asToolHears } from './tool-set.ts';
import type { TraceCall, TraceWriter } from './trace.ts';
import type { Emit, ItemOptions } from './turn-items.ts';

const mostAtOnce = 8;
const longestOutput = 1_048_576;
const mostSources = 256;
const longestTraced = 16_384;

/** Where calls are told of: to clients, to the model, to whoever asks how a response came about. */
export interface Telling {
  emit: Emit;
  options: Pick<ItemOptions, 'itemFields' | 'partition'>;
  /** Place of the next new item in the response's output. */
  nextIndex(): number;
  progress: Progress;
  trace: TraceWriter;
  traced: TraceCall[];
  faults: CallFaults | null;
}

/** Runs calls of server-side tools, several at once, and tells of each. A call that fails is an item that says so. */
export const runCalls = (calls: PendingCall[], telling: Telling, signal: AbortSignal): Promise<void> =>
  eachBounded(calls, (call) => runCall(call, telling, signal));

/** Does all of them, a few at once. */
export async function eachBounded<T>(all: T[], one: (entry: T) => Promise<void>): Promise<void> {
  const waiting = [...all];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await one(next);
  };
  await Promise.all(Array.from({ length: Math.min(mostAtOnce, all.length) }, worker));
}

async function runCall(
  pending: PendingCall,
  { emit, options, nextIndex, progress, trace, traced, faults }: Telling,
  signal: AbortSignal,
): Promise<void> {
  const { id, outputIndex, binding, call, approvalRequestId } = pending;
  const start_ms = trace.elapsed;
  const tell = (told: ToolEventType | ToolEvent | undefined) => {
    if (told === undefined) return;
    const { type, ...members } = typeof told === 'string' ? { type: told } : told;
    emit({ type, item_id: id, output_index: outputIndex, ...members });
  };
  const end = (status: 'completed' | 'failed', fields: Record<string, unknown>, output: string) => {
    const told = { ...call, output: clipped(output) };
    progress.outputs[id] = told;
    traced.push({
      item_id: id,
      type: binding.tool.type,
      ...call,
      arguments: call.arguments.slice(0, longestTraced),
      output: told.output.slice(0, longestTraced),
      status,
      ...(approvalRequestId === undefined ? {} : { approval_request_id: approvalRequestId }),
      start_ms,
      duration_ms: trace.elapsed - start_ms,
    });
    tell(binding.open.phases?.[status]);
    endServerCall(emit, options, pending, { status, fields, output: told.output }, nextIndex);
  };
  const timeout = timeoutOf(binding.tool, faults);
  try {
    const { fields, output, sources = [] } = await follow(pending, tell, AbortSignal.any([signal, timeout]));
    progress.sources.push(...sources.slice(0, mostSources - progress.sources.length));
    end('completed', fields, output);
  } catch (error) {
    signal.throwIfAborted();
    const message = timeout.aborted
      ? `The call did not end within ${binding.tool.timeoutSeconds} s.`
      : error instanceof ApiError
        ? error.message
        : 'The tool failed.';
    failCall(end, message);
  }
}

function timeoutOf({ type, timeoutSeconds }: ServerTool, faults: CallFaults | null): AbortSignal {
  const fault = faults?.toolCall(type) ?? null;
  if (fault === null) return AbortSignal.timeout(timeoutSeconds * 1000);
  return fault.milliseconds === 0 ? AbortSignal.abort() : AbortSignal.timeout(fault.milliseconds);
}

/** What a failed call leaves, and what the model is told of it. */
function failCall(
  end: (status: 'failed', fields: Record<string, unknown>, output: string) => void,
  message: string,
): void {
  end('failed', { error: { type: 'tool_execution_error', message } }, `The call failed: ${message}`);
}

/** A call that was begun by a process that is gone: nobody knows how it ended, so it is not run again. */
export function abandonCall(
  pending: PendingCall,
  { emit, options, nextIndex, progress }: Omit<Telling, 'trace' | 'traced' | 'faults'>,
): void {
  const { id, outputIndex, binding, call } = pending;
  const message = 'The server stopped during this call; whether it had an effect is not known.';
  const output = `The call failed: ${message}`;
  progress.outputs[id] = { ...call, output };
  const { failed } = binding.open.phases ?? {};
  if (failed !== undefined) emit({ type: failed, item_id: id, output_index: outputIndex });
  const fields = { error: { type: 'tool_execution_error', message } };
  endServerCall(emit, options, pending, { status: 'failed', fields, output }, nextIndex);
}

async function follow(
  { binding, call }: PendingCall,
  tell: (told: ToolEventType | ToolEvent) => void,
  signal: AbortSignal,
): Promise<ToolResult> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  aborted.promise.catch(() => {});
  try {
    signal.throwIfAborted();
    assertJson(call.arguments);
    const steps = binding.open.run(asToolHears(binding, call), signal);
    for (;;) {
      const step = await Promise.race([steps.next(), aborted.promise]);
      if (step.done) return step.value;
      tell(step.value);
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function assertJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw apiError('model_error', 'The model gave arguments that are not JSON.');
  }
}

const clipped = (text: string): string =>
  text.length <= longestOutput ? text : `${text.slice(0, longestOutput)}\n[truncated]`;
