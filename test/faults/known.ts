import { expect } from 'vitest';
import type { Client, Json, StreamEvent } from './client.ts';
import { Refused } from './client.ts';

/** Something that a server said, or that follows from it, and that must hold whatever happens to the server later. */
export interface Fact {
  what: string;
  check(client: Client): Promise<void>;
}

/** What a client knows of a conversation that it alone writes to. */
export interface KnownConversation {
  id: string;
  /** Items that must be there, in this order; those whose ids are not known yet by what else was sent. */
  items: Json[];
  metadata: Json;
  /** A write whose answer has not come: all of it is there, or nothing. */
  openWrite: { input: Json[]; answered: boolean; accepted: boolean } | null;
  openMetadata: Json | null;
}

const terminalEvents = new Set(['response.completed', 'response.incomplete', 'response.failed']);
export const isTerminal = ({ type }: StreamEvent): boolean => terminalEvents.has(type);

const underWay = new Set<unknown>(['queued', 'in_progress']);
export const isUnderWay = (response: Json): boolean => underWay.has(response.status);

export const responsePath = (id: unknown): string => `/openai/v1/responses/${id}`;

/** Reading `path` gives exactly what was answered before. */
export const reads = (path: string, content: Json): Fact => ({
  what: `GET ${path}`,
  async check(client) {
    expect(await client.ask('GET', path)).toEqual(content);
  },
});

export const isGone = (path: string): Fact => ({
  what: `GET ${path} after its deletion`,
  async check(client) {
    const refusal = await client.ask('GET', path).then(
      () => null,
      (error: unknown) => error,
    );
    if (!(refusal instanceof Refused)) throw refusal ?? new Error('It is still there.');
    expect(refusal.status).toBe(404);
  },
});

/** The whole log of a response, as a replay tells it. */
export async function replay(client: Client, id: unknown): Promise<StreamEvent[]> {
  const events: StreamEvent[] = [];
  for await (const event of client.stream('GET', `${responsePath(id)}?stream=true`)) events.push(event);
  return events;
}

/** A stream that was seen to its last event is stored exactly so. */
export const replays = (id: unknown, seen: StreamEvent[]): Fact => ({
  what: `replay of ${id}`,
  async check(client) {
    expect(await replay(client, id)).toEqual(seen);
  },
});

/** A response that clients know of has ended, and its log says so once, in its last event. */
export const hasEnded = (id: unknown): Fact => ({
  what: `end of ${id}`,
  async check(client) {
    const response = await client.ask('GET', responsePath(id));
    expect(response.status).toBeOneOf(['completed', 'incomplete', 'failed', 'cancelled']);
    const events = await replay(client, id);
    expect(events.map(({ data }) => (JSON.parse(data) as Json).sequence_number)).toEqual([...events.keys()]);
    const ends = events.filter(isTerminal);
    expect(ends).toEqual(events.slice(-1));
    expect((JSON.parse(events.at(-1)?.data as string) as Json).response).toEqual(response);
  },
});

/** What was seen of a background stream is where its log begins, so that a client can go on behind it. */
export const continues = (id: unknown, seen: StreamEvent[]): Fact => ({
  what: `continuation of ${id}`,
  async check(client) {
    expect((await replay(client, id)).slice(0, seen.length)).toEqual(seen);
  },
});
