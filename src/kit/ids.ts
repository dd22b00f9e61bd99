import { randomFillSync } from 'node:crypto';

const pool = Buffer.allocUnsafe(4096);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += bytes;
  return pool.toString('hex', used - bytes, used);
}

let lastMillisecond = 0;
let counter = 0;

/**
 * An id such as `resp_0199…`: prefix, time (16 hex digits: milliseconds and a counter within them), randomness (14)
 * and partition (16). Ids of one kind ascend in the order they were made, even within a millisecond or when the clock
 * steps back; lists rely on it. The partition is the time of the response or conversation that an item belongs to,
 * else the id's own: an item's id alone leads to its response.
 */
export function newId(prefix: string, partition?: string): string {
  const now = Date.now();
  if (now > lastMillisecond) {
    lastMillisecond = now;
    counter = 0;
  } else if (++counter > 0xffff) {
    lastMillisecond++;
    counter = 0;
  }
  const time = lastMillisecond.toString(16).padStart(12, '0') + counter.toString(16).padStart(4, '0');
  return `${prefix}_${time}${randomHex(7)}${partition ?? time}`;
}

export const partitionOf = (id: string): string => id.slice(-16);

/** Whether a text has the form of an id with this prefix. */
export const isId = (prefix: string, id: string): boolean =>
  id.length === prefix.length + 47 &&
  id.startsWith(`${prefix}_`) &&
  /^[0-9a-f]{46}$/.test(id.slice(prefix.length + 1));

/** 32 hexadecimal digits, the form of the service's request ids. */
export const newRequestId = (): string => randomHex(16);

/** Prefixes of the service's ids by item type; anything else is `item_`. */
const itemPrefixes: Record<string, string> = {
  message: 'msg',
  function_call: 'fc',
  function_call_output: 'fco',
  custom_tool_call: 'ctc',
  custom_tool_call_output: 'ctco',
  reasoning: 'rs',
  web_search_call: 'ws',
  file_search_call: 'fs',
  code_interpreter_call: 'ci',
  image_generation_call: 'ig',
  computer_call: 'cu',
  computer_call_output: 'cuo',
  mcp_call: 'mcp',
  mcp_list_tools: 'mcpl',
  mcp_approval_request: 'mcpr',
  mcp_approval_response: 'mcpa',
  compaction: 'cmp',
};

export const newItemId = (itemType: string, partition?: string): string =>
  newId(itemPrefixes[itemType] ?? 'item', partition);
