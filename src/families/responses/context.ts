import { apiError, conflict, invalidPayload, notFound } from '../../errors.ts';
import { newItemId } from '../../kit/ids.ts';
import type { ConversationLedger } from '../conversations/ledger.ts';
import type { Owner } from '../conversations/store.ts';
import type { CreateResponse } from './contract.ts';
import { type InputItem, type Item, normaliseItem, userMessage } from './items.ts';
import type { ResponseStore } from './store.ts';

/** What came before a request: the items of its conversation, or of the responses it continues. */
export interface Context {
  items: Item[];
  conversationId: string | null;
  /** Where the conversation stood when it was read. */
  position: number | null;
}

export interface ContextSources {
  conversations: ConversationLedger;
  responses: ResponseStore;
  limits: { contextItems: number };
}

type ContextFields = Pick<CreateResponse, 'conversation' | 'previous_response_id'>;

export async function loadContext(
  sources: ContextSources,
  owner: Owner,
  request: ContextFields,
): Promise<Context> {
  const { conversation, previous_response_id: previous } = request;
  if (conversation) {
    const id = typeof conversation === 'string' ? conversation : conversation.id;
    await sources.conversations.require(id, owner, 'conversation');
    const { items, position } = await sources.conversations.read({ project: owner.project, id });
    return { items, conversationId: id, position };
  }
  if (!previous) return { items: [], conversationId: null, position: null };
  return { items: await chainItems(sources, owner, previous), conversationId: null, position: null };
}

/** The items of a response and of all that it continues, oldest first. */
async function chainItems({ conversations, responses, limits }: ContextSources, owner: Owner, id: string) {
  const turns: Item[][] = [];
  const keyOf = (conversation: string) => ({ project: owner.project, id: conversation });
  let count = 0;
  const add = (items: Item[]): void => {
    turns.push(items);
    count += items.length;
  };
  // What a response of an agent continues was told to that agent, whoever had said it.
  const furtherBack = { project: owner.project, userIdentity: owner.userIdentity };
  for (let next: string | null = id; next !== null; ) {
    const stored = await responses.find(next, next === id ? owner : furtherBack);
    if (stored === undefined) {
      // Further back, a deleted response is where the chain begins.
      if (next !== id) break;
      throw apiError(
        'previous_response_not_found',
        `Previous response with id '${id.slice(0, 128)}' not found.`,
        {
          target: 'previous_response_id',
        },
      );
    }
    if (next === id) checkContinuable(stored.status, id);
    add([...stored.input, ...stored.log.response.output]);
    if (stored.conversationId !== null && stored.contextPosition !== null) {
      add((await conversations.read(keyOf(stored.conversationId), stored.contextPosition)).items);
    }
    if (count > limits.contextItems) {
      throw apiError(
        'context_length_exceeded',
        `The responses that this one continues have more than ${limits.contextItems} items (limits.contextItems).`,
        { target: 'previous_response_id' },
      );
    }
    next = stored.previousResponseId;
  }
  return turns.reverse().flat();
}

function checkContinuable(status: string, id: string): void {
  if (status === 'completed' || status === 'incomplete') return;
  if (status === 'queued' || status === 'in_progress') {
    throw conflict(
      `The previous response '${id}' is still ${status}; wait for its end.`,
      'previous_response_id',
    );
  }
  throw invalidPayload(
    'previous_response_id',
    `The previous response '${id}' is ${status} and cannot be continued. Continue the one before it.`,
  );
}

/** The request's input as items; references are looked up in the context first, then among all that is stored. */
export async function inputItems(
  sources: ContextSources,
  owner: Owner,
  context: Context,
  input: CreateResponse['input'],
  partition: string,
): Promise<Item[]> {
  if (input === undefined || input === null || input === '') return [];
  if (typeof input === 'string') return [userMessage(input, partition)];
  const items: Item[] = [];
  for (const [i, given] of input.entries()) {
    const item = normaliseItem(given as InputItem, `input[${i}]`, partition);
    const found =
      item.type === 'item_reference'
        ? await referred(sources, owner, context, item.id, `input[${i}].id`)
        : (item as Item);
    // Lists are paged by id, so each is there once.
    const isTaken = items.some(({ id }) => id === found.id);
    items.push(isTaken ? { ...found, id: newItemId(found.type, partition) } : found);
  }
  return items;
}

async function referred(
  { conversations, responses }: ContextSources,
  owner: Owner,
  context: Context,
  id: string,
  target: string,
): Promise<Item> {
  const known =
    context.items.find((item) => item.id === id) ??
    (context.conversationId === null
      ? undefined
      : await conversations.findItem({ project: owner.project, id: context.conversationId }, id)) ??
    (await responses.findItem(id, owner));
  if (known === undefined) throw notFound('item', id.slice(0, 128), target);
  return known;
}
