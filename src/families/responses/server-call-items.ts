import { newItemId } from '../../kit/ids.ts';
import type { ToolCall } from '../../providers/tools/tool.ts';
import type { Item, ToolItem } from './items.ts';
import { asToolHears, type ToolBinding } from './tool-set.ts';
import type { Emit, ItemOptions, OpenItem } from './turn-items.ts';

/** A call of a server-side tool that the model has asked for and nobody has run yet. */
export interface PendingCall {
  id: string;
  outputIndex: number;
  binding: ToolBinding;
  call: ToolCall;
  /** The approval it was run on. */
  approvalRequestId?: string;
}

/** The item of a server-side call, from its name on. Its end is told when the call has been run. */
export function openServerCall(
  emit: Emit,
  options: ItemOptions,
  outputIndex: number,
  binding: ToolBinding,
  name: string,
  onReady: (call: PendingCall) => void,
): OpenItem {
  const id = newItemId(binding.tool.itemType, options.partition);
  const at = { item_id: id, output_index: outputIndex };
  const { argumentEvents } = binding.open;
  let text = '';
  startServerCall(emit, options, { id, outputIndex, binding, call: { name, arguments: '' } });
  return {
    kind: 'call',
    add(event) {
      if (event.type !== 'tool_arguments') return;
      text += event.delta;
      if (argumentEvents !== undefined && argumentEvents.part === undefined) {
        emit({ type: argumentEvents.delta, ...at, delta: event.delta });
      }
    },
    close(status) {
      const call = { name, arguments: text === '' ? '{}' : text };
      if (argumentEvents?.part !== undefined) {
        const { member, of } = argumentEvents.part;
        const told = of(call);
        if (told !== '') emit({ type: argumentEvents.delta, ...at, delta: told });
        emit({ type: argumentEvents.done, ...at, [member]: told });
      } else if (argumentEvents !== undefined) {
        emit({ type: argumentEvents.done, ...at, arguments: call.arguments });
      }
      if (status === 'completed') {
        onReady({ id, outputIndex, binding, call });
        return null;
      }
      return serverItem(options, { id, outputIndex, binding, call }, status, {});
    },
  };
}

export function startServerCall(emit: Emit, options: ItemOptions, pending: PendingCall): void {
  const { id, outputIndex, binding } = pending;
  emit({
    type: 'response.output_item.added',
    output_index: outputIndex,
    item: serverItem(options, pending, 'in_progress', {}),
  });
  const { started } = binding.open.phases ?? {};
  if (started !== undefined) emit({ type: started, item_id: id, output_index: outputIndex });
}

export const serverItem = (
  { itemFields }: Pick<ItemOptions, 'itemFields'>,
  { id, binding, call, approvalRequestId }: PendingCall,
  status: string,
  fields: Record<string, unknown>,
): Item => ({
  ...binding.open.fields(asToolHears(binding, call)),
  ...fields,
  ...(binding.tool.outputItemType === undefined ? {} : { call_id: callIdOf(id) }),
  ...(approvalRequestId === undefined ? {} : { approval_request_id: approvalRequestId }),
  id,
  type: binding.tool.itemType as ToolItem['type'],
  status,
  ...itemFields,
});

/** How a call ended: what its item carries, or the second one, and what the model is told. */
export interface CallEnd {
  status: 'completed' | 'failed';
  fields: Record<string, unknown>;
  output: string;
}

/** Tells of a call's end by its item, and by a second one where the contract has it. */
export function endServerCall(
  emit: Emit,
  options: Pick<ItemOptions, 'itemFields' | 'partition'>,
  pending: PendingCall,
  { status, fields, output }: CallEnd,
  nextIndex: () => number,
): void {
  const { id, outputIndex, binding, call } = pending;
  const { outputItemType } = binding.tool;
  const done = (output_index: number, item: Item) =>
    emit({ type: 'response.output_item.done', output_index, item });
  const isOnlyItem = outputItemType === undefined;
  done(outputIndex, serverItem(options, pending, status, isOnlyItem ? fields : {}));
  if (isOnlyItem) return;
  const own = {
    id: newItemId(outputItemType, options.partition),
    type: outputItemType as ToolItem['type'],
    call_id: callIdOf(id),
    ...options.itemFields,
  };
  const known = binding.open.outputFields?.(asToolHears(binding, call));
  const output_index = nextIndex();
  emit({
    type: 'response.output_item.added',
    output_index,
    item: { ...known, ...own, status: 'in_progress' },
  });
  done(output_index, { ...known, output, ...fields, ...own, status });
}

const callIdOf = (id: string): string => `call${id.slice(id.indexOf('_'))}`;

/** A call that somebody has to approve first: no call yet, but the question. */
export function openApprovalRequest(
  emit: Emit,
  { partition, itemFields }: ItemOptions,
  output_index: number,
  binding: ToolBinding,
  name: string,
): OpenItem {
  const id = newItemId('mcp_approval_request', partition);
  let text = '';
  return {
    kind: 'call',
    add(event) {
      if (event.type === 'tool_arguments') text += event.delta;
    },
    close() {
      const call = { name, arguments: text === '' ? '{}' : text };
      const item: Item = {
        ...binding.open.fields(asToolHears(binding, call)),
        id,
        type: 'mcp_approval_request',
        arguments: call.arguments,
        ...itemFields,
      };
      emit({ type: 'response.output_item.added', output_index, item });
      return item;
    },
  };
}
