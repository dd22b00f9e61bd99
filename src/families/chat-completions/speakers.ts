import type { Message } from './messages.ts';

/**
 * `name` tells apart those who speak in one role. Models here know roles only, so the name is put before the text
 * (`Ada: …`): for users always, for other roles where several share one, or the model would sign its answers too.
 */
export function speakers(messages: Message[]): (message: Message) => string {
  const names = new Map<string, Set<string>>();
  for (const message of messages) {
    const name = nameOf(message);
    if (name !== '') names.set(message.role, (names.get(message.role) ?? new Set()).add(name));
  }
  return (message) => {
    const name = nameOf(message);
    const isTold = message.role === 'user' || (names.get(message.role)?.size ?? 0) > 1;
    return name !== '' && isTold ? `${name}: ` : '';
  };
}

const nameOf = (message: Message): string =>
  message.role === 'tool' || message.role === 'function' ? '' : (message.name ?? '');
