import { sql } from 'kysely';
import { type Budget, countedRoom, requireRoom } from '../../kit/budget.ts';
import type { Window } from '../../kit/cursor-page.ts';
import { type Database, prepared } from '../../storage/database.ts';
import type { Item } from '../responses/items.ts';
import type { Conversation } from './contract.ts';

type Tables = {
  conversations: {
    id: string;
    project: string;
    /** Empty where the caller acts for nobody in particular. */
    user_identity: string;
    created_at: number;
    metadata: string;
    agent_name: string | null;
    agent_version: string | null;
    /** The agent on whose own endpoint it was made; null for one of the project's route. */
    endpoint_agent: string | null;
    lease_owner: string | null;
    /** Milliseconds. */
    lease_expires_at: number | null;
  };
  conversation_items: {
    project: string;
    conversation_id: string;
    /** Counts within the conversation. */
    seq: number;
    id: string;
    type: string;
    /** Null once the item is deleted. */
    item: string | null;
  };
};

export interface Owner {
  project: string;
  userIdentity: string | null;
  /** The agent on whose own endpoint the caller is, and sees nothing else; null or absent on the project's route. */
  endpointAgent?: string | null;
}

export interface AgentFilter {
  name: string | null;
  version: string | null;
}

/** A conversation by its id, which another project may have as well. */
export interface ConversationKey {
  project: string;
  id: string;
}

export interface ItemRow {
  seq: number;
  item: Item;
}

export const conversationItemBudget = (limits: { conversationItems: number }): Budget => ({
  name: 'conversationItems',
  most: limits.conversationItems,
  noun: 'items, deleted ones included,',
  whose: 'conversation',
  table: 'conversation_items',
  per: ['project', 'conversation_id'],
  isLarge: true,
});

export const conversationBudget = (limits: { conversations: number }): Budget => ({
  name: 'conversations',
  most: limits.conversations,
  noun: 'conversations',
  whose: 'project',
  table: 'conversations',
  per: ['project'],
  isLarge: true,
});

export type ConversationStore = ReturnType<typeof conversationStore>;

export function conversationStore(
  database: Database,
  budgets: { conversations: Budget; conversationItems: Budget },
) {
  const room = countedRoom(budgets.conversations);
  const db = database.withTables<Tables>();

  const byId = prepared<Tables['conversations']>(database, (parameter) =>
    db
      .selectFrom('conversations')
      .selectAll()
      .where('id', '=', parameter('id'))
      .where('project', '=', parameter('project'))
      .where('user_identity', '=', parameter('user_identity')),
  );
  const itemsUpTo = prepared<{ seq: number; item: string }>(database, (parameter) =>
    db
      .selectFrom('conversation_items')
      .select(['seq', 'item'])
      .$narrowType<{ item: string }>()
      .where('project', '=', parameter('project'))
      .where('conversation_id', '=', parameter('conversation_id'))
      .where('seq', '<=', parameter('seq'))
      .where('item', 'is not', null)
      .orderBy('seq')
      .limit(parameter('limit')),
  );
  const itemById = prepared<{ seq: number; item: string | null }>(database, (parameter) =>
    db
      .selectFrom('conversation_items')
      .select(['seq', 'item'])
      .where('project', '=', parameter('project'))
      .where('conversation_id', '=', parameter('conversation_id'))
      .where('id', '=', parameter('id')),
  );
  const insertItem = prepared<never>(database, (parameter) =>
    db.insertInto('conversation_items').values({
      project: parameter('project'),
      conversation_id: parameter('conversation_id'),
      // A deleted item leaves its row, so no number is given twice.
      seq: sql<number>`(select coalesce(max(seq), 0) + 1 from conversation_items where project = ${parameter('project')} and conversation_id = ${parameter('conversation_id')})`,
      id: parameter('id'),
      type: parameter('type'),
      item: parameter('item'),
    }),
  );
  const takeLease = prepared<{ id: string }>(database, (parameter) =>
    db
      .updateTable('conversations')
      .set({ lease_owner: parameter('owner'), lease_expires_at: parameter('expires_at') })
      .where('project', '=', parameter('project'))
      .where('id', '=', parameter('id'))
      .where((where) =>
        where.or([
          where('lease_owner', 'is', null),
          where('lease_owner', '=', parameter('owner')),
          where('lease_expires_at', '<', parameter('now')),
        ]),
      )
      .returning('id'),
  );
  const dropLease = prepared<{ id: string }>(database, (parameter) =>
    db
      .updateTable('conversations')
      .set({ lease_owner: null, lease_expires_at: null })
      .where('project', '=', parameter('project'))
      .where('id', '=', parameter('id'))
      .where('lease_owner', '=', parameter('owner'))
      .returning('id'),
  );

  return {
    transaction: <T>(work: (on: Database) => Promise<T>): Promise<T> => database.transaction().execute(work),

    async create(conversation: Conversation, owner: Owner, on: Database = database): Promise<void> {
      await room.require(on, [owner.project]);
      await on
        .withTables<Tables>()
        .insertInto('conversations')
        .values({
          id: conversation.id,
          project: owner.project,
          user_identity: owner.userIdentity ?? '',
          created_at: conversation.created_at,
          metadata: JSON.stringify(conversation.metadata),
          agent_name: owner.endpointAgent ?? null,
          agent_version: null,
          endpoint_agent: owner.endpointAgent ?? null,
          lease_owner: null,
          lease_expires_at: null,
        })
        .execute();
    },

    async find(id: string, owner: Owner): Promise<Conversation | undefined> {
      const [row] = await byId({ id, project: owner.project, user_identity: owner.userIdentity ?? '' });
      return row && isVisible(row, owner) ? toConversation(row) : undefined;
    },

    async list(owner: Owner, agent: AgentFilter, window: Window<string>): Promise<Conversation[]> {
      let query = db
        .selectFrom('conversations')
        .selectAll()
        .where('project', '=', owner.project)
        .where('user_identity', '=', owner.userIdentity ?? '')
        .orderBy('id', window.direction)
        .limit(window.limit);
      if (owner.endpointAgent) query = query.where('endpoint_agent', '=', owner.endpointAgent);
      if (agent.name !== null) query = query.where('agent_name', '=', agent.name);
      if (agent.version !== null) query = query.where('agent_version', '=', agent.version);
      if (window.above !== null) query = query.where('id', '>', window.above);
      if (window.below !== null) query = query.where('id', '<', window.below);
      return (await query.execute()).map(toConversation);
    },

    async setMetadata({ project, id }: ConversationKey, metadata: Record<string, string>): Promise<void> {
      await db
        .updateTable('conversations')
        .set({ metadata: JSON.stringify(metadata) })
        .where('project', '=', project)
        .where('id', '=', id)
        .execute();
    },

    /** Remembers which agent answered last, for the filters of the listing. */
    async setAgent(
      { project, id }: ConversationKey,
      agent: { name: string; version: string },
      on: Database,
    ): Promise<void> {
      await on
        .withTables<Tables>()
        .updateTable('conversations')
        .set({ agent_name: agent.name, agent_version: agent.version })
        .where('project', '=', project)
        .where('id', '=', id)
        .execute();
    },

    async delete({ project, id }: ConversationKey, on: Database): Promise<void> {
      const trx = on.withTables<Tables>();
      await trx
        .deleteFrom('conversation_items')
        .where('project', '=', project)
        .where('conversation_id', '=', id)
        .execute();
      await trx.deleteFrom('conversations').where('project', '=', project).where('id', '=', id).execute();
      room.freed();
    },

    /** The items up to a position, oldest first. */
    async items({ project, id }: ConversationKey, upTo: number, limit: number): Promise<ItemRow[]> {
      const rows = await itemsUpTo({ project, conversation_id: id, seq: upTo, limit });
      return rows.map(({ seq, item }) => ({ seq, item: JSON.parse(item) }));
    },

    async listItems(
      { project, id }: ConversationKey,
      type: string | undefined,
      window: Window<number>,
    ): Promise<Item[]> {
      let query = db
        .selectFrom('conversation_items')
        .select('item')
        .$narrowType<{ item: string }>()
        .where('project', '=', project)
        .where('conversation_id', '=', id)
        .where('item', 'is not', null)
        .orderBy('seq', window.direction)
        .limit(window.limit);
      if (type !== undefined) query = query.where('type', '=', type);
      if (window.above !== null) query = query.where('seq', '>', window.above);
      if (window.below !== null) query = query.where('seq', '<', window.below);
      return (await query.execute()).map(({ item }) => JSON.parse(item));
    },

    /** Where an item stands, or stood before it was deleted. */
    async itemPosition({ project, id }: ConversationKey, itemId: string): Promise<number | undefined> {
      const [row] = await itemById({ project, conversation_id: id, id: itemId });
      return row?.seq;
    },

    async findItem(
      { project, id }: ConversationKey,
      itemId: string,
      on: Database = database,
    ): Promise<Item | undefined> {
      const [row] = await itemById({ project, conversation_id: id, id: itemId }, on);
      return row?.item ? JSON.parse(row.item) : undefined;
    },

    async hasItemId({ project, id }: ConversationKey, itemId: string, on: Database): Promise<boolean> {
      return (await itemById({ project, conversation_id: id, id: itemId }, on)).length > 0;
    },

    /** To be called in the transaction that appends so many items which a caller brings. */
    requireRoom: ({ project, id }: ConversationKey, items: number, on: Database): Promise<void> =>
      requireRoom(budgets.conversationItems, on, [project, id], items),

    async append({ project, id }: ConversationKey, items: Item[], on: Database): Promise<void> {
      for (const item of items) {
        await insertItem(
          { project, conversation_id: id, id: item.id, type: item.type, item: JSON.stringify(item) },
          on,
        );
      }
    },

    async deleteItem({ project, id }: ConversationKey, itemId: string, on: Database): Promise<boolean> {
      const { numUpdatedRows } = await on
        .withTables<Tables>()
        .updateTable('conversation_items')
        .set({ item: null })
        .where('project', '=', project)
        .where('conversation_id', '=', id)
        .where('id', '=', itemId)
        .where('item', 'is not', null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },

    /** Takes or renews the lease; false while another owner holds it, or when the conversation is gone. */
    async lease(
      { project, id }: ConversationKey,
      owner: string,
      milliseconds: number,
      on: Database = database,
    ): Promise<boolean> {
      const now = Date.now();
      return (await takeLease({ project, id, owner, expires_at: now + milliseconds, now }, on)).length > 0;
    },

    /** False when the lease had been lost. */
    async release(
      { project, id }: ConversationKey,
      owner: string,
      on: Database = database,
    ): Promise<boolean> {
      return (await dropLease({ project, id, owner }, on)).length > 0;
    },

    /** Leases of a process that is gone. */
    async releaseAll(): Promise<void> {
      await db
        .updateTable('conversations')
        .set({ lease_owner: null, lease_expires_at: null })
        .where('lease_owner', 'is not', null)
        .execute();
    },
  };
}

const isVisible = ({ endpoint_agent: madeAt }: Tables['conversations'], { endpointAgent }: Owner): boolean =>
  !endpointAgent || madeAt === endpointAgent;

const toConversation = (row: Tables['conversations']): Conversation => ({
  id: row.id,
  object: 'conversation',
  created_at: row.created_at,
  metadata: JSON.parse(row.metadata),
});
