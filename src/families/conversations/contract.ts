import Type, { type Static } from 'typebox';
import { CursorPage, cursorQuery } from '../../kit/cursor-page.ts';
import { op } from '../../kit/operation.ts';
import { Maybe, Metadata, UnixSeconds } from '../../kit/schema.ts';
import { InputItem, StoredItem } from '../responses/items.ts';

export const Conversation = Type.Object({
  id: Type.String(),
  object: Type.Literal('conversation'),
  created_at: UnixSeconds,
  metadata: Metadata,
});
export type Conversation = Static<typeof Conversation>;

const mostItems = 20;
const byId = Type.Object({ conversation_id: Type.String({ minLength: 1 }) });
const byItem = Type.Object({
  conversation_id: Type.String({ minLength: 1 }),
  item_id: Type.String({ minLength: 1 }),
});
/** Items are always answered whole, so there is nothing to include; the parameter is taken all the same. */
const include = Type.Optional(Type.Array(Type.String()));
const shared = { wire: 'openai', onAgentEndpoint: true } as const;

export const operations = {
  create: op({
    ...shared,
    method: 'POST',
    path: '/conversations',
    summary: 'Create a conversation',
    body: Type.Object({
      metadata: Maybe(Metadata),
      items: Maybe(Type.Array(InputItem, { maxItems: mostItems })),
    }),
    bodyOptional: true,
    result: Conversation,
  }),
  list: op({
    ...shared,
    method: 'GET',
    path: '/conversations',
    summary: 'List conversations',
    query: Type.Object({
      ...cursorQuery,
      agent_name: Type.Optional(Type.String()),
      agent_id: Type.Optional(Type.String({ description: '`{name}:{version}`' })),
    }),
    result: CursorPage(Conversation),
  }),
  retrieve: op({
    ...shared,
    method: 'GET',
    path: '/conversations/{conversation_id}',
    summary: 'Get a conversation',
    params: byId,
    result: Conversation,
  }),
  update: op({
    ...shared,
    method: 'POST',
    path: '/conversations/{conversation_id}',
    summary: 'Replace the metadata of a conversation',
    params: byId,
    body: Type.Object({ metadata: Type.Union([Metadata, Type.Null()]) }),
    result: Conversation,
  }),
  delete: op({
    ...shared,
    method: 'DELETE',
    path: '/conversations/{conversation_id}',
    summary: 'Delete a conversation with its items',
    params: byId,
    result: Type.Object({
      id: Type.String(),
      object: Type.Literal('conversation.deleted'),
      deleted: Type.Boolean(),
    }),
  }),
  createItems: op({
    ...shared,
    method: 'POST',
    path: '/conversations/{conversation_id}/items',
    summary: 'Add items to a conversation',
    params: byId,
    query: Type.Object({ include }),
    body: Type.Object({ items: Type.Array(InputItem, { minItems: 1, maxItems: mostItems }) }),
    result: CursorPage(StoredItem),
  }),
  listItems: op({
    ...shared,
    method: 'GET',
    path: '/conversations/{conversation_id}/items',
    summary: 'List the items of a conversation',
    params: byId,
    query: Type.Object({ ...cursorQuery, include, item_type: Type.Optional(Type.String()) }),
    result: CursorPage(StoredItem),
  }),
  retrieveItem: op({
    ...shared,
    method: 'GET',
    path: '/conversations/{conversation_id}/items/{item_id}',
    summary: 'Get an item of a conversation',
    params: byItem,
    query: Type.Object({ include }),
    result: StoredItem,
  }),
  deleteItem: op({
    ...shared,
    method: 'DELETE',
    path: '/conversations/{conversation_id}/items/{item_id}',
    summary: 'Delete an item of a conversation',
    params: byItem,
    result: Conversation,
  }),
};
