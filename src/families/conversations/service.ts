import { notFound } from '../../errors.ts';
import type { Context } from '../../kit/context.ts';
import { cursorPage, idPosition } from '../../kit/cursor-page.ts';
import { newId, partitionOf } from '../../kit/ids.ts';
import type { Handlers } from '../../kit/operation.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { Database } from '../../storage/database.ts';
import type { AgentDirectory } from '../agents/directory.ts';
import { type InputItem, type Item, normaliseItem } from '../responses/items.ts';
import type { Conversation, operations } from './contract.ts';
import { badId, isConversationId, locked, withFreshIds } from './ledger.ts';
import type { ConversationKey, ConversationStore, Owner } from './store.ts';

/** A hold for as long as one transaction takes. */
const briefMilliseconds = 5000;

export function conversationsService(
  store: ConversationStore,
  agents: AgentDirectory,
  requireFiles: (ctx: Context, items: Item[]) => void,
): Handlers<typeof operations> {
  const conversation = async (ctx: Context, id: string): Promise<Conversation> => {
    if (!isConversationId(id)) throw badId('conversation_id');
    const found = await store.find(id, ownerOf(ctx));
    if (found === undefined) throw notFound('conversation', id, 'conversation_id');
    return found;
  };

  /** Changes a conversation that nobody else is writing to. */
  const exclusively = <T>(ctx: Context, id: string, work: (on: Database) => Promise<T>): Promise<T> =>
    store.transaction(async (on) => {
      if (!(await store.lease(keyOf(ctx, id), ctx.requestId, briefMilliseconds, on))) throw locked(id);
      const result = await work(on);
      await store.release(keyOf(ctx, id), ctx.requestId, on);
      return result;
    });

  const normalised = async (key: ConversationKey, items: InputItem[]): Promise<Item[]> => {
    const partition = partitionOf(key.id);
    const found: Item[] = [];
    for (const [i, given] of items.entries()) {
      const item = normaliseItem(given, `items[${i}]`, partition);
      if (item.type !== 'item_reference') found.push(item as Item);
      else found.push(await referred(key, item.id, `items[${i}]`));
    }
    return found;
  };
  const referred = async (key: ConversationKey, itemId: string, target: string): Promise<Item> => {
    const item = await store.findItem(key, itemId);
    if (item === undefined) throw notFound('item', itemId, `${target}.id`);
    return item;
  };

  return {
    async create(ctx, { body }) {
      // An agent that is not there, or takes no requests, takes no conversations either.
      if (ctx.endpointAgent !== null) await agents.byEndpoint(ctx.project, ctx.endpointAgent, null);
      const created: Conversation = {
        id: newId('conv'),
        object: 'conversation',
        created_at: unixSeconds(),
        metadata: body?.metadata ?? {},
      };
      const items = await normalised(keyOf(ctx, created.id), body?.items ?? []);
      requireFiles(ctx, items);
      await store.transaction(async (on) => {
        await store.create(created, ownerOf(ctx), on);
        const key = keyOf(ctx, created.id);
        await store.append(key, await withFreshIds(store, key, items, on), on);
      });
      return created;
    },

    list(ctx, { query }) {
      const [idName, idVersion] = query.agent_id?.split(':') ?? [];
      const agent = {
        name: query.agent_name ?? idName ?? null,
        version: idVersion ?? null,
      };
      return cursorPage(
        query,
        { position: idPosition('conv'), rows: (window) => store.list(ownerOf(ctx), agent, window) },
        (found) => found,
        (found) => found.id,
      );
    },

    retrieve: (ctx, { params }) => conversation(ctx, params.conversation_id),

    async update(ctx, { params: { conversation_id: id }, body }) {
      const found = await conversation(ctx, id);
      const metadata = body.metadata ?? {};
      await store.setMetadata(keyOf(ctx, id), metadata);
      return { ...found, metadata };
    },

    async delete(ctx, { params: { conversation_id: id } }) {
      await conversation(ctx, id);
      await exclusively(ctx, id, (on) => store.delete(keyOf(ctx, id), on));
      return { id, object: 'conversation.deleted', deleted: true };
    },

    async createItems(ctx, { params: { conversation_id: id }, body }) {
      await conversation(ctx, id);
      const items = await normalised(keyOf(ctx, id), body.items);
      requireFiles(ctx, items);
      const data = await exclusively(ctx, id, async (on) => {
        await store.requireRoom(keyOf(ctx, id), items.length, on);
        const fresh = await withFreshIds(store, keyOf(ctx, id), items, on);
        await store.append(keyOf(ctx, id), fresh, on);
        return fresh;
      });
      return {
        object: 'list',
        data,
        first_id: data[0]?.id ?? null,
        last_id: data.at(-1)?.id ?? null,
        has_more: false,
      };
    },

    async listItems(ctx, { params: { conversation_id: id }, query }) {
      await conversation(ctx, id);
      return cursorPage(
        query,
        {
          position: (itemId) => store.itemPosition(keyOf(ctx, id), itemId),
          rows: (window) => store.listItems(keyOf(ctx, id), query.item_type, window),
        },
        (item) => item,
        (item) => item.id,
      );
    },

    async retrieveItem(ctx, { params: { conversation_id: id, item_id: itemId } }) {
      await conversation(ctx, id);
      const item = await store.findItem(keyOf(ctx, id), itemId);
      if (item === undefined) throw notFound('item', itemId, 'item_id');
      return item;
    },

    async deleteItem(ctx, { params: { conversation_id: id, item_id: itemId } }) {
      const found = await conversation(ctx, id);
      await exclusively(ctx, id, async (on) => {
        if (!(await store.deleteItem(keyOf(ctx, id), itemId, on))) throw notFound('item', itemId, 'item_id');
      });
      return found;
    },
  };
}

const ownerOf = (ctx: Context): Owner => ({
  project: ctx.project,
  userIdentity: ctx.userIdentity,
  endpointAgent: ctx.endpointAgent,
});
const keyOf = ({ project }: Context, id: string): ConversationKey => ({ project, id });
