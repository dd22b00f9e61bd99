import type { ModelMessage } from '../../providers/models/model.ts';

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
