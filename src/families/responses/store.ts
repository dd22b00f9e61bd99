import type { Window } from '../../kit/cursor-page.ts';
import { partitionOf } from '../../kit/ids.ts';
import { type Database, prepared } from '../../storage/database.ts';
import type { Owner } from '../conversations/store.ts';
import { EventLog, foldLines } from './events.ts';
import type { Item } from './items.ts';

type Tables = {
  responses: {
    id: string;
    project: string;
    /** Empty where the caller acts for nobody in particular. */
    user_identity: string;
    status: string;
    agent_name: string | null;
    agent_version: string | null;
    conversation_id: string | null;
    /** Where the conversation stood before this response. */
    context_position: number | null;
    previous_response_id: string | null;
    input: string;
    events: string;
  };
};

type Row = Tables['responses'];

/** What a response is stored with besides its events. */
export interface ResponseRecord {
  id: string;
  agent: { name: string; version: string } | null;
  conversationId: string | null;
  contextPosition: number | null;
  previousResponseId: string | null;
  input: Item[];
}

export interface StoredResponse extends ResponseRecord {
  status: string;
  log: EventLog;
}

export interface ResponseFilter {
  agentName: string | null;
  agentVersion: string | null;
  conversationId: string | null;
}

export type ResponseStore = ReturnType<typeof responseStore>;

export function responseStore(database: Database) {
  const db = database.withTables<Tables>();

  const byId = prepared<Row>(database, (parameter) =>
    db
      .selectFrom('responses')
      .selectAll()
      .where('id', '=', parameter('id'))
      .where('project', '=', parameter('project'))
      .where('user_identity', '=', parameter('user_identity')),
  );
  const byPartition = prepared<Row>(database, (parameter) =>
    db
      .selectFrom('responses')
      .selectAll()
      .where('project', '=', parameter('project'))
      .where('id', '>', parameter('from'))
      .where('id', '<', parameter('to'))
      .where('user_identity', '=', parameter('user_identity')),
  );
  const insert = prepared<never>(database, (parameter) =>
    db.insertInto('responses').values({
      id: parameter('id'),
      project: parameter('project'),
      user_identity: parameter('user_identity'),
      status: parameter('status'),
      agent_name: parameter('agent_name'),
      agent_version: parameter('agent_version'),
      conversation_id: parameter('conversation_id'),
      context_position: parameter('context_position'),
      previous_response_id: parameter('previous_response_id'),
      input: parameter('input'),
      events: parameter('events'),
    }),
  );
  const setEvents = prepared<never>(database, (parameter) =>
    db
      .updateTable('responses')
      .set({ status: parameter('status'), events: parameter('events') })
      .where('project', '=', parameter('project'))
      .where('id', '=', parameter('id')),
  );

  return {
    transaction: <T>(work: (on: Database) => Promise<T>): Promise<T> => database.transaction().execute(work),

    async insert(
      record: ResponseRecord,
      owner: Owner,
      status: string,
      lines: string[],
      on: Database = database,
    ): Promise<void> {
      await insert(
        {
          id: record.id,
          project: owner.project,
          user_identity: owner.userIdentity ?? '',
          status,
          agent_name: record.agent?.name ?? null,
          agent_version: record.agent?.version ?? null,
          conversation_id: record.conversationId,
          context_position: record.contextPosition,
          previous_response_id: record.previousResponseId,
          input: JSON.stringify(record.input),
          events: lines.join('\n'),
        },
        on,
      );
    },

    /** No effect when the response has been deleted meanwhile. */
    async update(
      project: string,
      id: string,
      status: string,
      lines: string[],
      on: Database = database,
    ): Promise<void> {
      await setEvents({ project, id, status, events: lines.join('\n') }, on);
    },

    async find(id: string, owner: Owner): Promise<StoredResponse | undefined> {
      const [row] = await byId({ id, project: owner.project, user_identity: owner.userIdentity ?? '' });
      return row && toStored(row);
    },

    /** An item of a stored response, input or output, by its id alone. */
    async findItem(itemId: string, owner: Owner): Promise<Item | undefined> {
      const start = `resp_${partitionOf(itemId)}`;
      const rows = await byPartition({
        from: start,
        // Behind every hexadecimal digit.
        to: `${start}g`,
        project: owner.project,
        user_identity: owner.userIdentity ?? '',
      });
      for (const row of rows) {
        const { input, log } = toStored(row);
        const found = [...log.response.output, ...input].find((item) => item.id === itemId);
        if (found !== undefined) return found;
      }
      return undefined;
    },

    async list(owner: Owner, filter: ResponseFilter, window: Window<string>) {
      let query = db
        .selectFrom('responses')
        .select('events')
        .where('project', '=', owner.project)
        .where('user_identity', '=', owner.userIdentity ?? '')
        .orderBy('id', window.direction)
        .limit(window.limit);
      if (filter.agentName !== null) query = query.where('agent_name', '=', filter.agentName);
      if (filter.agentVersion !== null) query = query.where('agent_version', '=', filter.agentVersion);
      if (filter.conversationId !== null) query = query.where('conversation_id', '=', filter.conversationId);
      if (window.above !== null) query = query.where('id', '>', window.above);
      if (window.below !== null) query = query.where('id', '<', window.below);
      return (await query.execute()).map(({ events }) => foldLines(events.split('\n')));
    },

    async delete(project: string, id: string): Promise<void> {
      await db.deleteFrom('responses').where('project', '=', project).where('id', '=', id).execute();
    },

    /** Responses that a process which is gone was working on. */
    async unfinished(): Promise<{ project: string; id: string; lines: string[] }[]> {
      const rows = await db
        .selectFrom('responses')
        .select(['project', 'id', 'events'])
        .where('status', 'in', ['queued', 'in_progress'])
        .execute();
      return rows.map(({ project, id, events }) => ({ project, id, lines: events.split('\n') }));
    },
  };
}

const toStored = (row: Row): StoredResponse => ({
  id: row.id,
  status: row.status,
  agent:
    row.agent_name === null || row.agent_version === null
      ? null
      : { name: row.agent_name, version: row.agent_version },
  conversationId: row.conversation_id,
  contextPosition: row.context_position,
  previousResponseId: row.previous_response_id,
  input: JSON.parse(row.input),
  log: new EventLog(row.events.split('\n')),
});
