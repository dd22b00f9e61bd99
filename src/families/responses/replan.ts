import { loadContext } from './context.ts';
import { EventLog } from './event-log.ts';
import { closeOpenItems } from './open-items.ts';
import { assembleRun, type Plan, type PlanSources } from './plan.ts';
import type { PendingCall } from './server-call-items.ts';
import type { UnfinishedResponse } from './store.ts';
import { abandonCall } from './tool-calls.ts';
import { unsealBlueprint } from './tool-secrets.ts';
import { TraceWriter } from './trace.ts';

/** Takes up a background response where an earlier process has left it. */
export async function replan(
  sources: PlanSources,
  { record, owner, lines, background }: UnfinishedResponse,
): Promise<{ plan: Plan; events: EventLog }> {
  if (background === null) throw new Error(`Response ${record.id} was not in the background.`);
  const { progress } = background;
  const blueprint = unsealBlueprint(background.blueprint, sources.sealer, owner.project);
  const { conversationId, contextPosition, previousResponseId } = record;
  const conversation = conversationId === null ? null : { project: owner.project, id: conversationId };
  const hold = conversation === null ? null : await sources.conversations.hold(conversation, record.id);
  try {
    const context =
      conversation === null
        ? (await loadContext(sources, owner, { previous_response_id: previousResponseId })).items
        : (await sources.conversations.read(conversation, contextPosition ?? 0)).items;
    const trace = new TraceWriter(blueprint.trace);
    const events = new EventLog([...lines]);
    const { output } = events.response;
    const run = await assembleRun(sources, owner, record, blueprint, { context, output }, progress, trace);
    const emit: Parameters<typeof closeOpenItems>[1] = (event) => events.append(event);
    const nextIndex = () => events.response.output.length;
    for (const pending of begunCalls(events, run)) {
      if (mayRunAgain(pending)) run.begun.push(pending);
      else abandonCall(pending, { emit, options: run.items, nextIndex, progress });
    }
    progress.pending = {};
    closeOpenItems(events, emit, new Set(run.begun.map(({ id }) => id)));
    return { plan: { run, record, blueprint, initial: events.response, store: true, hold }, events };
  } catch (error) {
    await hold?.release();
    throw error;
  }
}

const mayRunAgain = ({ binding: { tool, open, name } }: PendingCall): boolean =>
  open.isIdempotent?.(name) ?? tool.idempotent;

function begunCalls(events: EventLog, { tools, progress }: Plan['run']): PendingCall[] {
  const { output } = events.response;
  return Object.entries(progress.pending).flatMap(([id, { name, arguments: text, outputIndex, ...rest }]) => {
    const item = output[outputIndex];
    const binding = tools.bindings.get(name);
    const isOpen = item?.id === id && 'status' in item && item.status === 'in_progress';
    return isOpen && binding !== undefined
      ? [{ id, outputIndex, binding, call: { name, arguments: text }, ...rest }]
      : [];
  });
}
