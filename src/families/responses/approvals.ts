import { conflict, invalidPayload } from '../../errors.ts';
import { newItemId } from '../../kit/ids.ts';
import type { Item } from './items.ts';
import type { PendingCall } from './server-call-items.ts';
import { bindingOf, type ToolSet } from './tool-set.ts';

type ApprovalResponse = { approval_request_id: string; approve: boolean };

/** The calls that a request's input approves. Each approval answers one open request, once. */
export function approvedCalls(
  context: Item[],
  input: Item[],
  tools: ToolSet,
  partition: string,
): Omit<PendingCall, 'outputIndex'>[] {
  const requests = new Map<string, Item>();
  const answered = new Set<string>();
  for (const item of context) {
    if (item.type === 'mcp_approval_request') requests.set(item.id, item);
    if (item.type === 'mcp_approval_response') answered.add(String(item.approval_request_id));
  }
  const approved: Omit<PendingCall, 'outputIndex'>[] = [];
  for (const [i, item] of input.entries()) {
    if (item.type === 'mcp_approval_request') requests.set(item.id, item);
    if (item.type !== 'mcp_approval_response') continue;
    const { approval_request_id: id, approve } = item as unknown as ApprovalResponse;
    const request = requests.get(id);
    const target = `input[${i}].approval_request_id`;
    if (request === undefined) {
      throw invalidPayload(target, `No approval request '${id.slice(0, 128)}' is in what came before.`);
    }
    if (answered.has(id)) throw usedTwice(id, target);
    answered.add(id);
    if (!approve) continue;
    const { name, arguments: text } = request as unknown as { name: string; arguments: string };
    const binding = bindingOf(tools.opened, request);
    if (binding === undefined) {
      throw invalidPayload(
        target,
        `The approved call is of '${name}', which is not among the tools of this request.`,
      );
    }
    const callId = newItemId(binding.tool.itemType, partition);
    // What the model knows it by is seen once all tools have told what they offer.
    approved.push({
      id: callId,
      binding,
      call: { name: binding.name, arguments: text },
      approvalRequestId: id,
    });
  }
  return approved;
}

export const usedTwice = (id: string, target: string) =>
  conflict(
    `The approval request '${id.slice(0, 128)}' has been answered already; an approval is good for one call.`,
    target,
  );
