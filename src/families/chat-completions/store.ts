import type { Budget, CountedRoom } from '../../kit/budget.ts';
import type { Window } from '../../kit/cursor-page.ts';
import { type Database, prepared } from '../../storage/database.ts';
import type { Owner } from '../conversations/store.ts';
import type { ChatCompletion } from './contract.ts';
import type { Message } from './messages.ts';

type Tables = {
  chat_completions: {
    project: string;
    id: string;
    /** Empty where the caller acts for nobody in particular. */
    user_identity: string;
    model: string;
    metadata: string;
    completion: string;
    messages: string;
  };
  chat_completion_metadata: {
    project: string;
    key: string;
    value: string;
    completion_id: string;
  };
};

type Row = Tables['chat_completions'];
type Shown = Pick<Row, 'completion' | 'metadata'>;

export interface CompletionFilter {
  model: string | null;
  /** Pairs that a completion must all have. */
  metadata: Record<string, string>;
}

export const completionBudget = (limits: { storedCompletions: number }): Budget => ({
  name: 'storedCompletions',
  most: limits.storedCompletions,
  noun: 'stored chat completions',
  whose: 'project',
  table: 'chat_completions',
  per: ['project'],
  isLarge: true,
});

export type ChatCompletionStore = ReturnType<typeof chatCompletionStore>;

export function chatCompletionStore(database: Database, room: CountedRoom | null = null) {
  const db = database.withTables<Tables>();

  const byId = prepared<Shown>(database, (parameter) =>
    db
      .selectFrom('chat_completions')
      .select(['completion', 'metadata'])
      .where('project', '=', parameter('project'))
      .where('id', '=', parameter('id'))
      .where('user_identity', '=', parameter('user_identity')),
  );
  const messagesById = prepared<Pick<Row, 'messages'>>(database, (parameter) =>
    db
      .selectFrom('chat_completions')
      .select('messages')
      .where('project', '=', parameter('project'))
      .where('id', '=', parameter('id'))
      .where('user_identity', '=', parameter('user_identity')),
  );
  const insert = prepared<never>(database, (parameter) =>
    db.insertInto('chat_completions').values({
      project: parameter('project'),
      id: parameter('id'),
      user_identity: parameter('user_identity'),
      model: parameter('model'),
      metadata: parameter('metadata'),
      completion: parameter('completion'),
      messages: parameter('messages'),
    }),
  );

  const keyOf = (id: string, { project, userIdentity }: Owner) => ({
    project,
    id,
    user_identity: userIdentity ?? '',
  });
  const find = async (id: string, owner: Owner, on?: Database): Promise<ChatCompletion | undefined> => {
    const [row] = await byId(keyOf(id, owner), on);
    return row && toCompletion(row);
  };
  const transaction = <T>(work: (on: Database) => Promise<T>): Promise<T> =>
    database.transaction().execute(work);

  async function insertPairs(
    project: string,
    id: string,
    metadata: Record<string, string>,
    on: Database,
  ): Promise<void> {
    const pairs = Object.entries(metadata).map(([key, value]) => ({
      project,
      key,
      value,
      completion_id: id,
    }));
    if (pairs.length === 0) return;
    await on.withTables<Tables>().insertInto('chat_completion_metadata').values(pairs).execute();
  }

  async function deletePairs(
    project: string,
    { id, metadata = {} }: ChatCompletion,
    on: Database,
  ): Promise<void> {
    for (const [key, value] of Object.entries(metadata)) {
      await on
        .withTables<Tables>()
        .deleteFrom('chat_completion_metadata')
        .where('project', '=', project)
        .where('key', '=', key)
        .where('value', '=', value)
        .where('completion_id', '=', id)
        .execute();
    }
  }

  return {
    /** To be called before the model is asked for one that will be stored. */
    requireRoom: async (project: string): Promise<void> => room?.require(database, [project]),

    async insert(
      { metadata = {}, ...completion }: ChatCompletion,
      messages: Message[],
      owner: Owner,
    ): Promise<void> {
      const { id, model } = completion;
      const row: Row = {
        ...keyOf(id, owner),
        model,
        metadata: JSON.stringify(metadata),
        completion: JSON.stringify(completion),
        messages: JSON.stringify(messages),
      };
      if (Object.keys(metadata).length === 0) await insert(row);
      else {
        await transaction(async (on) => {
          await insert(row, on);
          await insertPairs(owner.project, id, metadata, on);
        });
      }
    },

    find: (id: string, owner: Owner): Promise<ChatCompletion | undefined> => find(id, owner),

    async messages(id: string, owner: Owner): Promise<Message[] | undefined> {
      const [row] = await messagesById(keyOf(id, owner));
      return row && JSON.parse(row.messages);
    },

    async list(
      { project, userIdentity }: Owner,
      filter: CompletionFilter,
      window: Window<string>,
    ): Promise<ChatCompletion[]> {
      let query = db
        .selectFrom('chat_completions')
        .select(['completion', 'metadata'])
        .where('project', '=', project)
        .where('user_identity', '=', userIdentity ?? '')
        .orderBy('id', window.direction)
        .limit(window.limit);
      if (filter.model !== null) query = query.where('model', '=', filter.model);
      for (const [key, value] of Object.entries(filter.metadata)) {
        const having = db
          .selectFrom('chat_completion_metadata')
          .select('completion_id')
          .where('project', '=', project)
          .where('key', '=', key)
          .where('value', '=', value);
        query = query.where('id', 'in', having);
      }
      if (window.above !== null) query = query.where('id', '>', window.above);
      if (window.below !== null) query = query.where('id', '<', window.below);
      return (await query.execute()).map(toCompletion);
    },

    /** The completion with its new metadata; undefined when there is none. */
    setMetadata: (
      id: string,
      owner: Owner,
      metadata: Record<string, string>,
    ): Promise<ChatCompletion | undefined> =>
      transaction(async (on) => {
        const found = await find(id, owner, on);
        if (found === undefined) return undefined;
        await deletePairs(owner.project, found, on);
        await insertPairs(owner.project, id, metadata, on);
        await on
          .withTables<Tables>()
          .updateTable('chat_completions')
          .set({ metadata: JSON.stringify(metadata) })
          .where('project', '=', owner.project)
          .where('id', '=', id)
          .execute();
        return { ...found, metadata };
      }),

    /** Whether there was one to delete. */
    delete: (id: string, owner: Owner): Promise<boolean> =>
      transaction(async (on) => {
        const found = await find(id, owner, on);
        if (found === undefined) return false;
        await deletePairs(owner.project, found, on);
        await on
          .withTables<Tables>()
          .deleteFrom('chat_completions')
          .where('project', '=', owner.project)
          .where('id', '=', id)
          .execute();
        room?.freed();
        return true;
      }),
  };
}

const toCompletion = ({ completion, metadata }: Shown): ChatCompletion => ({
  ...JSON.parse(completion),
  metadata: JSON.parse(metadata),
});
