import { isId, newId } from '../../kit/ids.ts';

const prefix = 'chatcmpl-';

/** An id as this API writes it: with a hyphen where the others have an underscore. */
export const newCompletionId = (): string => newId('chatcmpl').replace('chatcmpl_', prefix);

/** Where a completion stands or stood in the lists, which are ordered by id; undefined for what is no such id. */
export const completionPosition = (id: string): string | undefined =>
  id.startsWith(prefix) && isId('chatcmpl', `chatcmpl_${id.slice(prefix.length)}`) ? id : undefined;
