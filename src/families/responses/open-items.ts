import type { EventLog } from './event-log.ts';
import type { ContentPart, Item } from './items.ts';
import type { Emit } from './turn-items.ts';

/** Closes, as incomplete, items that a run has left open: no item of an ended response is still in progress. */
export function closeOpenItems(log: EventLog, emit: Emit, except: ReadonlySet<string> = new Set()): void {
  for (const [output_index, item] of log.response.output.entries()) {
    if (!isOpen(log, item) || except.has(item.id)) continue;
    emit({ type: 'response.output_item.done', output_index, item: closed(log, emit, item, output_index) });
  }
}

function isOpen(log: EventLog, item: Item): boolean {
  return 'status' in item ? item.status === 'in_progress' : !log.lines.some((line) => isDone(line, item.id));
}

const isDone = (line: string, id: string): boolean =>
  line.startsWith('{"type":"response.output_item.done"') && line.includes(`"id":"${id}"`);

function closed(log: EventLog, emit: Emit, item: Item, output_index: number): Item {
  switch (item.type) {
    case 'message': {
      const content = messageParts(log, emit, item.id, output_index);
      return { ...item, status: 'incomplete', content };
    }
    case 'reasoning': {
      const text = deltasOf(log, item.id, 'response.reasoning_summary_text.delta').join('');
      return { ...item, summary: [{ type: 'summary_text', text }] };
    }
    case 'function_call':
      return {
        ...item,
        status: 'incomplete',
        arguments: deltasOf(log, item.id, 'response.function_call_arguments.delta').join(''),
      };
    default:
      return { ...item, status: 'incomplete' };
  }
}

interface PartLine {
  content_index: number;
  delta: string;
}

/** The parts of a message as far as they came; the one that was open is closed by its own events. */
function messageParts(log: EventLog, emit: Emit, item_id: string, output_index: number): ContentPart[] {
  const parts: ContentPart[] = [];
  const lines = linesOf<PartLine & { part?: ContentPart }>(log, item_id, 'response.content_part.done');
  for (const { part } of lines) if (part !== undefined) parts.push(part);
  const open = (type: string) =>
    linesOf<PartLine>(log, item_id, type)
      .filter(({ content_index }) => content_index === parts.length)
      .map(({ delta }) => delta)
      .join('');
  const text = open('response.output_text.delta');
  const refusal = open('response.refusal.delta');
  const at = { item_id, output_index, content_index: parts.length };
  if (text !== '') {
    const part = { type: 'output_text' as const, text, annotations: [], logprobs: [] };
    emit({ type: 'response.output_text.done', ...at, text, logprobs: [] });
    emit({ type: 'response.content_part.done', ...at, part });
    parts.push(part);
  } else if (refusal !== '') {
    const part = { type: 'refusal' as const, refusal };
    emit({ type: 'response.refusal.done', ...at, refusal });
    emit({ type: 'response.content_part.done', ...at, part });
    parts.push(part);
  }
  return parts;
}

const deltasOf = (log: EventLog, id: string, type: string): string[] =>
  linesOf<{ delta: string }>(log, id, type).map(({ delta }) => delta);

function linesOf<Line>(log: EventLog, id: string, type: string): Line[] {
  const start = `{"type":"${type}"`;
  return log.lines
    .filter((line) => line.startsWith(start) && line.includes(`"item_id":"${id}"`))
    .map((line) => JSON.parse(line));
}
