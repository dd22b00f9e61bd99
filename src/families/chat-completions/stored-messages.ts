import type { StoredMessage } from './contract.ts';
import type { Message } from './messages.ts';

/** The messages of a completion's request as its list shows them, numbered; ids are the completion's and the number. */
export const storedMessages = (completionId: string, messages: Message[]): StoredMessage[] =>
  messages.map((message, i) => {
    const content = message.content ?? null;
    return {
      ...message,
      id: `${completionId}-${i}`,
      role: message.role,
      content: typeof content === 'string' ? content : null,
      refusal: ('refusal' in message ? message.refusal : null) ?? null,
      name: ('name' in message ? message.name : null) ?? null,
      content_parts: typeof content === 'string' ? null : content,
    };
  });
