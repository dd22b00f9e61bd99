import { hash } from 'node:crypto';
import type { ModelRequest } from '../model.ts';
import type { Conversation } from './conversation.ts';

/** An id that the same call of the same conversation always gets, and no other of it. */
export function callIdFor(
  request: ModelRequest,
  { turns, calls, outputs }: Conversation,
  call: { name: string; arguments: string },
  at: number,
): string {
  const place = [request.messages.length, turns, calls.map(({ callId }) => callId), outputs, call, at];
  return `call_${hash('sha256', JSON.stringify(place)).slice(0, 24)}`;
}
