import { ApiError } from '../../errors.ts';
import { newItemId } from '../../kit/ids.ts';
import type { Announcement } from '../../providers/tools/tool.ts';
import type { Item, ToolItem } from './items.ts';
import type { RunPlan } from './run.ts';
import { eachBounded } from './tool-calls.ts';
import type { Emit } from './turn-items.ts';

/**
 * Lets tools find out what they need before the first turn, each with an item that tells of it. Returns whether there
 * was anything to tell.
 */
export async function announce(
  { tools, items, trace }: Pick<RunPlan, 'tools' | 'items' | 'trace'>,
  firstIndex: number,
  emit: Emit,
  signal: AbortSignal,
): Promise<boolean> {
  const announcements = tools.opened.flatMap(({ open }) => open.announcement ?? []);
  if (announcements.length === 0) return false;
  trace.enter({ phase: 'announcements' });
  const started = announcements.map((announcement, i) => {
    const item = {
      id: newItemId(announcement.itemType, items.partition),
      type: announcement.itemType as ToolItem['type'],
      ...announcement.fields,
      ...items.itemFields,
    };
    const output_index = firstIndex + i;
    emit({ type: 'response.output_item.added', output_index, item });
    emit({ type: announcement.phases.started, item_id: item.id, output_index });
    return { announcement, item, output_index };
  });
  await eachBounded(started, async ({ announcement, item, output_index }) => {
    const { fields, phase } = await outcome(announcement, signal);
    emit({ type: announcement.phases[phase], item_id: item.id, output_index });
    const whole: Item = { ...item, ...fields };
    emit({ type: 'response.output_item.done', output_index, item: whole });
  });
  tools.refresh();
  return true;
}

async function outcome(
  { run, timeoutSeconds }: Announcement,
  signal: AbortSignal,
): Promise<{ fields: Record<string, unknown>; phase: 'completed' | 'failed' }> {
  const timeout = AbortSignal.timeout(timeoutSeconds * 1000);
  const either = AbortSignal.any([signal, timeout]);
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const onAbort = () => aborted.reject(either.reason);
  either.addEventListener('abort', onAbort, { once: true });
  try {
    either.throwIfAborted();
    return { fields: await Promise.race([run(either), aborted.promise]), phase: 'completed' };
  } catch (error) {
    signal.throwIfAborted();
    const message = timeout.aborted
      ? `There was no answer within ${timeoutSeconds} s.`
      : error instanceof ApiError
        ? error.message
        : 'The tool failed.';
    return { fields: { error: message }, phase: 'failed' };
  } finally {
    either.removeEventListener('abort', onAbort);
  }
}
