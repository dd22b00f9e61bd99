import type { EndedResponse } from '../../providers/telemetry/sink.ts';
import type { Owner } from '../conversations/store.ts';
import type { EventLog } from './event-log.ts';
import type { TerminalEvent } from './events.ts';
import type { Plan } from './plan.ts';
import { promptMessages } from './prompt.ts';
import type { ResponseTrace } from './trace.ts';

/** A response as those who follow traces are told of it. */
export function endedResponse(
  { record, run }: Pick<Plan, 'record' | 'run'>,
  owner: Owner,
  events: EventLog,
  { change }: TerminalEvent,
  trace: ResponseTrace,
): EndedResponse {
  const { settings, fields, base, reading } = run;
  const { response } = events;
  const { status, error } = { ...response, ...change };
  return {
    id: record.id,
    project: owner.project,
    status: status === 'queued' || status === 'in_progress' ? 'failed' : status,
    error,
    model: settings.model,
    agent: record.agent,
    conversationId: record.conversationId,
    previousResponseId: record.previousResponseId,
    temperature: settings.temperature,
    topP: settings.topP,
    maxOutputTokens: fields.maxOutputTokens,
    stream: fields.stream,
    outputType: settings.format.type === 'text' ? 'text' : 'json',
    trace,
    content: () => ({
      instructions: settings.instructions,
      input: promptMessages(null, base, reading),
      output: promptMessages(null, response.output, reading),
    }),
  };
}
