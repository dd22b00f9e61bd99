import { ApiError } from '../../errors.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { ModelMessage, ModelProvider, ModelRequest } from '../../providers/models/model.ts';
import type { EventLog, TerminalEvent } from './events.ts';
import { createTurn, type TurnOptions, usageObject } from './turn.ts';

/** All that a run needs: the model call and how to tell of it. */
export interface RunPlan {
  provider: ModelProvider;
  request: ModelRequest;
  turn: Omit<TurnOptions, 'firstIndex'>;
  /** Whether the oldest messages may be dropped when the context is too long. */
  mayTruncate: boolean;
}

const mostTruncations = 8;

/** Runs the model and logs what it does. Returns the event that ends the response; throws when the model fails. */
export async function run(
  plan: RunPlan,
  log: EventLog,
  signal: AbortSignal,
  onFirstEvent: () => void,
): Promise<TerminalEvent> {
  const turn = createTurn((event) => log.append(event), { ...plan.turn, firstIndex: 0 });
  for await (const event of plan.mayTruncate ? generateTruncated(plan, signal) : generate(plan, signal)) {
    turn.push(event);
    onFirstEvent();
  }
  if (turn.finish === null) throw new Error('A model call ended without its finish event.');
  const { reason, usage } = turn.finish;
  return reason === 'length' || reason === 'content_filter'
    ? {
        type: 'response.incomplete',
        change: {
          status: 'incomplete',
          incomplete_details: { reason: reason === 'length' ? 'max_output_tokens' : 'content_filter' },
          usage: usageObject(usage),
        },
      }
    : {
        type: 'response.completed',
        change: { status: 'completed', completed_at: unixSeconds(), usage: usageObject(usage) },
      };
}

function generate({ provider, request }: RunPlan, signal: AbortSignal) {
  if (provider.generate === undefined) throw new Error('The deployment generates nothing.');
  return provider.generate(request, signal);
}

/** `truncation: auto`: the model is asked again with less as long as the context is too long. */
async function* generateTruncated(plan: RunPlan, signal: AbortSignal) {
  let attempt = plan.request;
  for (let truncations = 0; ; truncations++) {
    let started = false;
    try {
      for await (const event of generate({ ...plan, request: attempt }, signal)) {
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

/** Without the older half of the messages behind the system's; null when the last turn alone is left. */
export function shorten(messages: ModelMessage[]): ModelMessage[] | null {
  const start = messages.findIndex((message) => message.role !== 'system');
  if (start < 0) return null;
  const turns = messages.slice(start);
  // A user's message is where a turn begins: cut anywhere else, tool outputs would lose their calls.
  const from = turns.findIndex((message, at) => at >= turns.length / 2 && message.role === 'user');
  const fallback = turns.findLastIndex((message, at) => at > 0 && message.role === 'user');
  const cut = from > 0 ? from : fallback;
  return cut <= 0 ? null : [...messages.slice(0, start), ...turns.slice(cut)];
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
