import { setTimeout } from 'node:timers/promises';
import { apiError, invalidPayload, notFound } from '../../errors.ts';
import { isId, newItemId, partitionOf } from '../../kit/ids.ts';
import type { Database } from '../../storage/database.ts';
import type { Item } from '../responses/items.ts';
import type { ConversationKey, ConversationStore, Owner } from './store.ts';

/** What responses may do with conversations: read them, hold them for a turn, and add the turn's items. */
export interface ConversationLedger {
  /** Throws unless the conversation is there for this caller. */
  require(id: string, owner: Owner, target: string): Promise<void>;
  /** The items up to a position, oldest first, and the position of the last. */
  read(conversation: ConversationKey, upTo?: number): Promise<{ items: Item[]; position: number }>;
  findItem(conversation: ConversationKey, itemId: string): Promise<Item | undefined>;
  /** Throws `conversation_locked` when somebody else goes on holding the conversation. */
  hold(conversation: ConversationKey, holder: string): Promise<Hold>;
}

/** A conversation held for one writer. It is renewed until it is let go, and runs out if the process dies. */
export interface Hold {
  /** Adds the items and lets go, all in the given transaction; throws when the hold had been lost. */
  commit(items: Item[], agent: { name: string; version: string } | null, on: Database): Promise<void>;
  /** Lets go without adding anything. */
  release(): Promise<void>;
}

/** Of a lease's length; a renewal may fail twice before the lease runs out. */
const renewalShare = 3;
const pollMilliseconds = 50;

export function conversationLedger(
  store: ConversationStore,
  limits: { conversationLeaseSeconds: number; conversationWaitSeconds: number; contextItems: number },
): ConversationLedger {
  const leaseMilliseconds = limits.conversationLeaseSeconds * 1000;
  return {
    async require(id, owner, target) {
      if (!isConversationId(id)) throw badId(target);
      if ((await store.find(id, owner)) === undefined) throw notFound('conversation', id, target);
    },

    async read(conversation, upTo = Number.MAX_SAFE_INTEGER) {
      const rows = await store.items(conversation, upTo, limits.contextItems + 1);
      if (rows.length > limits.contextItems) {
        throw apiError(
          'context_length_exceeded',
          `The conversation has more than ${limits.contextItems} items (limits.contextItems). Start a new one, or delete items.`,
          { target: 'conversation' },
        );
      }
      return { items: rows.map((row) => row.item), position: rows.at(-1)?.seq ?? 0 };
    },

    findItem: (conversation, itemId) => store.findItem(conversation, itemId),

    async hold(conversation, holder) {
      const { id } = conversation;
      const until = performance.now() + limits.conversationWaitSeconds * 1000;
      while (!(await store.lease(conversation, holder, leaseMilliseconds))) {
        if (performance.now() >= until) throw locked(id);
        await setTimeout(pollMilliseconds);
      }
      const renewal = setInterval(() => {
        // A lost lease shows when the turn is committed.
        store.lease(conversation, holder, leaseMilliseconds).catch(() => {});
      }, leaseMilliseconds / renewalShare);
      renewal.unref();
      return {
        async commit(items, agent, on) {
          clearInterval(renewal);
          if (!(await store.release(conversation, holder, on))) throw locked(id);
          await store.append(conversation, await withFreshIds(store, conversation, items, on), on);
          if (agent !== null) await store.setAgent(conversation, agent, on);
        },
        async release() {
          clearInterval(renewal);
          await store.release(conversation, holder);
        },
      };
    },
  };
}

/** Clients may send an item with the id of one that is in the conversation already; the new one gets its own. */
export async function withFreshIds(
  store: ConversationStore,
  conversation: ConversationKey,
  items: Item[],
  on: Database,
): Promise<Item[]> {
  const taken = new Set<string>();
  const fresh: Item[] = [];
  for (const item of items) {
    const isNew = !taken.has(item.id) && !(await store.hasItemId(conversation, item.id, on));
    const kept = isNew ? item : { ...item, id: newItemId(item.type, partitionOf(conversation.id)) };
    taken.add(kept.id);
    fresh.push(kept);
  }
  return fresh;
}

export const isConversationId = (id: string): boolean => isId('conv', id);

export const badId = (target: string) =>
  invalidPayload(target, "This is not the id of a conversation; those begin with 'conv_'.");

export const locked = (id: string) =>
  apiError(
    'conversation_locked',
    `Another operation is in progress on the conversation '${id}'. Repeat the request when it has ended.`,
    { target: 'conversation', headers: { 'retry-after-ms': '250' } },
  );
