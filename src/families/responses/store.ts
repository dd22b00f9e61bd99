import type { Budget, CountedRoom } from '../../kit/budget.ts';
import type { Window } from '../../kit/cursor-page.ts';
import { partitionOf } from '../../kit/ids.ts';
import { type Database, prepared } from '../../storage/database.ts';
import type { Owner } from '../conversations/store.ts';
import { usedTwice } from './approvals.ts';
import { EventLog } from './event-log.ts';
import type { Item } from './items.ts';
import { foldedText, foldText, logLines, logText } from './log-text.ts';
import type { Blueprint } from './plan.ts';
import { noProgress, type Progress } from './progress.ts';
import type { ResponseTrace } from './trace.ts';

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
    /** See `log-text.ts`. */
    events: string;
    /** Whether `events` is the whole log, or only what the response is folded from. */
    log_kept: number;
    background: number;
    blueprint: string | null;
    progress: string | null;
    trace: string | null;
  };
  response_events: { response_id: string; sequence_number: number; line: string };
  used_approvals: { project: string; approval_request_id: string };
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
  background: boolean;
  log: EventLog;
  /** Whether the log is whole; old ones are reduced to what the response is folded from. */
  logKept: boolean;
}

/** A response that a process which is gone was working on. */
export interface UnfinishedResponse {
  record: ResponseRecord;
  owner: Owner;
  status: string;
  lines: string[];
  /** What a background response is taken up from; null for one that its caller was waiting for. */
  background: { blueprint: Blueprint; progress: Progress } | null;
}

export interface ResponseEnd {
  status: string;
  lines: string[];
  trace: ResponseTrace | null;
}

export interface ResponseFilter {
  agentName: string | null;
  agentVersion: string | null;
  conversationId: string | null;
}

export const responseBudget = (limits: { storedResponses: number }): Budget => ({
  name: 'storedResponses',
  most: limits.storedResponses,
  noun: 'stored responses',
  whose: 'project',
  table: 'responses',
  per: ['project'],
  isLarge: true,
});

export type ResponseStore = ReturnType<typeof responseStore>;

export function responseStore(database: Database, room: CountedRoom | null = null) {
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
      log_kept: 1,
      background: parameter('background'),
      blueprint: parameter('blueprint'),
      progress: null,
      trace: parameter('trace'),
    }),
  );
  const insertEvent = prepared<never>(database, (parameter) =>
    db.insertInto('response_events').values({
      response_id: parameter('response_id'),
      sequence_number: parameter('sequence_number'),
      line: parameter('line'),
    }),
  );
  const setEvents = prepared<never>(database, (parameter) =>
    db
      .updateTable('responses')
      .set({ status: parameter('status'), events: parameter('events'), trace: parameter('trace') })
      .where('project', '=', parameter('project'))
      .where('id', '=', parameter('id')),
  );

  return {
    transaction: <T>(work: (on: Database) => Promise<T>): Promise<T> => database.transaction().execute(work),

    /** To be called before anything is done for a response that will be stored. */
    requireRoom: async (project: string): Promise<void> => room?.require(database, [project]),

    async insert(
      record: ResponseRecord,
      owner: Owner,
      status: string,
      lines: string[],
      {
        on = database,
        blueprint = null,
        trace = null,
      }: { on?: Database | undefined; blueprint?: Blueprint | null; trace?: ResponseTrace | null } = {},
    ): Promise<void> {
      await insert(
        {
          trace: trace === null ? null : JSON.stringify(trace),
          background: blueprint === null ? 0 : 1,
          blueprint: blueprint === null ? null : JSON.stringify(blueprint),
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
          events: logText(lines),
        },
        on,
      );
    },

    /** The end of a response. No effect when it has been deleted meanwhile. */
    async update(owner: Owner, id: string, end: ResponseEnd, on: Database = database): Promise<void> {
      await setEvents(endValues(owner, id, end), on);
    },

    /** The end of a background response: its events move to its row. */
    async conclude(owner: Owner, id: string, end: ResponseEnd, on: Database): Promise<void> {
      await setEvents(endValues(owner, id, end), on);
      const trx = on.withTables<Tables>();
      await trx.deleteFrom('response_events').where('response_id', '=', id).execute();
      await trx
        .updateTable('responses')
        .set({ blueprint: null, progress: null })
        .where('project', '=', owner.project)
        .where('id', '=', id)
        .execute();
    },

    async trace(id: string, owner: Owner): Promise<ResponseTrace | null> {
      const row = await db
        .selectFrom('responses')
        .select('trace')
        .where('project', '=', owner.project)
        .where('id', '=', id)
        .executeTakeFirst();
      return row?.trace ? JSON.parse(row.trace) : null;
    },

    /** Events of a background response under way, `from` being the number of the first. */
    async appendEvents(id: string, from: number, lines: string[]): Promise<void> {
      await Promise.all(
        lines.map((line, i) => insertEvent({ response_id: id, sequence_number: from + i, line })),
      );
    },

    /** Where a background response can be taken up again: its events so far, and how far it is. */
    async checkpoint(
      project: string,
      id: string,
      from: number,
      lines: string[],
      progress: Progress,
    ): Promise<void> {
      await database.transaction().execute(async (on) => {
        for (const [i, line] of lines.entries()) {
          await insertEvent({ response_id: id, sequence_number: from + i, line }, on);
        }
        await on
          .withTables<Tables>()
          .updateTable('responses')
          .set({ status: 'in_progress', progress: JSON.stringify(progress) })
          .where('project', '=', project)
          .where('id', '=', id)
          .execute();
      });
    },

    /** Throws when somebody was faster: an approval is good for one call. */
    async claimApproval(project: string, approvalRequestId: string): Promise<void> {
      const { numInsertedOrUpdatedRows } = await db
        .insertInto('used_approvals')
        .values({ project, approval_request_id: approvalRequestId })
        .onConflict((c) => c.doNothing())
        .executeTakeFirstOrThrow();
      if (numInsertedOrUpdatedRows === 0n) throw usedTwice(approvalRequestId, 'input');
    },

    async find(id: string, owner: Owner): Promise<StoredResponse | undefined> {
      const [row] = await byId({ id, project: owner.project, user_identity: owner.userIdentity ?? '' });
      return row && isVisible(row, owner) ? toStored(row) : undefined;
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
        if (!isVisible(row, owner)) continue;
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
      if (owner.endpointAgent) query = query.where('agent_name', '=', owner.endpointAgent);
      if (filter.agentName !== null) query = query.where('agent_name', '=', filter.agentName);
      if (filter.agentVersion !== null) query = query.where('agent_version', '=', filter.agentVersion);
      if (filter.conversationId !== null) query = query.where('conversation_id', '=', filter.conversationId);
      if (window.above !== null) query = query.where('id', '>', window.above);
      if (window.below !== null) query = query.where('id', '<', window.below);
      return (await query.execute()).map(({ events }) => foldText(events));
    },

    async delete(project: string, id: string): Promise<void> {
      await database.transaction().execute(async (on) => {
        const trx = on.withTables<Tables>();
        await trx.deleteFrom('responses').where('project', '=', project).where('id', '=', id).execute();
        await trx.deleteFrom('response_events').where('response_id', '=', id).execute();
      });
      room?.freed();
    },

    /** How many are queued or under way. */
    async countUnfinished(): Promise<number> {
      const { count } = await db
        .selectFrom('responses')
        .select((row) => row.fn.countAll<number>().as('count'))
        .where('status', 'in', ['queued', 'in_progress'])
        .executeTakeFirstOrThrow();
      return Number(count);
    },

    /** Responses that a process which is gone was working on, oldest first. */
    async unfinished(): Promise<UnfinishedResponse[]> {
      const rows = await db
        .selectFrom('responses')
        .selectAll()
        .where('status', 'in', ['queued', 'in_progress'])
        .orderBy('id')
        .execute();
      return Promise.all(
        rows.map(async (row) => {
          const later = await db
            .selectFrom('response_events')
            .select('line')
            .where('response_id', '=', row.id)
            .orderBy('sequence_number')
            .execute();
          return {
            record: toRecord(row),
            owner: {
              project: row.project,
              userIdentity: row.user_identity === '' ? null : row.user_identity,
            },
            status: row.status,
            lines: [...logLines(row.events), ...later.map(({ line }) => line)],
            background:
              row.blueprint === null
                ? null
                : {
                    blueprint: JSON.parse(row.blueprint),
                    progress: { ...noProgress(), ...(row.progress === null ? {} : JSON.parse(row.progress)) },
                  },
          };
        }),
      );
    },

    /** Reduces the logs of ended responses whose id is below a bound; returns how many. */
    async reduceLogs(below: string, most: number): Promise<number> {
      const rows = await db
        .selectFrom('responses')
        .select(['project', 'id', 'events'])
        .where('id', '<', below)
        .where('log_kept', '=', 1)
        .where('status', 'not in', ['queued', 'in_progress'])
        .limit(most)
        .execute();
      for (const { project, id, events } of rows) {
        await db
          .updateTable('responses')
          .set({ events: foldedText(events), log_kept: 0 })
          .where('project', '=', project)
          .where('id', '=', id)
          .execute();
      }
      return rows.length;
    },
  };
}

const endValues = ({ project }: Owner, id: string, { status, lines, trace }: ResponseEnd) => ({
  project,
  id,
  status,
  events: logText(lines),
  trace: trace === null ? null : JSON.stringify(trace),
});

const isVisible = ({ agent_name: agent }: Row, { endpointAgent }: Owner): boolean =>
  !endpointAgent || agent === endpointAgent;

const toRecord = (row: Row): ResponseRecord => ({
  id: row.id,
  agent:
    row.agent_name === null || row.agent_version === null
      ? null
      : { name: row.agent_name, version: row.agent_version },
  conversationId: row.conversation_id,
  contextPosition: row.context_position,
  previousResponseId: row.previous_response_id,
  input: JSON.parse(row.input),
});

const toStored = (row: Row): StoredResponse => ({
  ...toRecord(row),
  status: row.status,
  background: row.background === 1,
  log: EventLog.ended(row.events),
  logKept: row.log_kept === 1,
});
