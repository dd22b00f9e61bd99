import { expect } from 'vitest';
import { type Client, type Json, listAll } from './client.ts';
import type { KnownConversation } from './known.ts';

/**
 * A conversation after a kill: all that was acknowledged is there, an unanswered write is there whole or not at all,
 * and it agrees with the responses that wrote to it. Takes over what is found as known.
 */
export async function checkConversation(client: Client, known: KnownConversation): Promise<void> {
  const path = `/openai/v1/conversations/${known.id}`;
  const { metadata } = await client.ask('GET', path);
  expect(metadata).toBeOneOf([known.metadata, known.openMetadata]);

  const items = await listAll(client, `${path}/items?order=asc`);
  const responses = await listAll(client, `/openai/v1/responses?conversation_id=${known.id}&order=asc`);
  expect(items.slice(0, known.items.length)).toMatchObject(known.items);
  checkTail(items.slice(known.items.length), known.openWrite, responses);
  for (const response of responses) checkAgreement(items, response);
  checkForm(items);

  known.items = items;
  known.metadata = metadata as Json;
  known.openWrite = null;
  known.openMetadata = null;
}

function checkTail(tail: Json[], open: KnownConversation['openWrite'], responses: Json[]): void {
  if (tail.length === 0 && !open?.accepted) return;
  const input = open?.input ?? [];
  expect(tail.slice(0, input.length)).toMatchObject(input);
  const rest = tail.slice(input.length);
  if (open?.answered) {
    const status = expect.stringMatching(/^(completed|incomplete)$/);
    expect(responses.at(-1)).toMatchObject({ status, output: rest });
  } else expect(rest).toEqual([]);
}

/** What a response that ended well gave out is there in one piece; of any other response there is nothing. */
function checkAgreement(items: Json[], { id, status, output }: Json): void {
  const given = output as Json[];
  const at = items.findIndex((item) => item.id === given[0]?.id);
  if (status === 'completed' || status === 'incomplete') {
    expect(items.slice(at, at + given.length), `the output of ${id}`).toEqual(given);
  } else {
    const ids = new Set(items.map((item) => item.id));
    expect(
      given.filter((item) => ids.has(item.id)),
      `the output of ${id}, ${status}`,
    ).toEqual([]);
  }
}

/** Each output follows its call, nothing comes between them but more of both, and nothing is half done. */
function checkForm(items: Json[]): void {
  const open = new Set<unknown>();
  for (const item of items) {
    expect(item.status ?? 'completed', JSON.stringify(item)).toBeOneOf(['completed', 'incomplete', 'failed']);
    if (item.type === 'mcp_call' && item.status !== 'incomplete')
      expect(item.output ?? item.error, JSON.stringify(item)).toBeTruthy();
    // A call that was cut off while the model spoke it is none.
    if (item.type === 'function_call') {
      if (item.status !== 'incomplete') open.add(item.call_id);
    } else if (item.type === 'function_call_output')
      expect(open.delete(item.call_id), JSON.stringify(item)).toBe(true);
    else expect([...open], `calls without an output before ${JSON.stringify(item)}`).toEqual([]);
  }
  expect(new Set(items.map((item) => item.id)).size).toBe(items.length);
}
