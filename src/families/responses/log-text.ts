import { frame } from '../../kit/sse-frame.ts';
import type { ResponseObject } from './contract.ts';
import { Folding, fold, isFolded, isLifecycle, typeAt } from './events.ts';

/**
 * How a log is stored: line by line, except that a run of deltas which differ in nothing but their delta and their
 * number is one line. It has what they share, and behind it each delta as it stands in its event:
 *
 *     {"type":"response.output_text.delta","run":[HEAD,TAIL]}⇥" The"⇥" quick"⇥" brown"
 *
 * No JSON text has a tab or a line break outside of its escapes, so that both can be told from what is in it.
 */
const separator = '\t';
const deltaMember = '"delta":"';
const numberMember = ',"sequence_number":';

export function logText(lines: readonly string[]): string {
  let text = '';
  for (let at = 0; at < lines.length; ) {
    const run = runAt(lines, at);
    text += `${at === 0 ? '' : '\n'}${run === null ? lines[at] : run.text}`;
    at += run === null ? 1 : run.count;
  }
  return text;
}

export function logLines(text: string): string[] {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    const run = readRun(line);
    if (run === null) lines.push(line);
    else for (const delta of run.deltas) lines.push(`${run.head}${delta}${run.tail}${lines.length}}`);
  }
  return lines;
}

/** The response that a stored log tells of. */
export function foldText(text: string): ResponseObject {
  let response: ResponseObject | null = null;
  for (let at = 0; at < text.length; ) {
    const end = lineEnd(text, at);
    if (isFolded(typeAt(text, at))) response = fold(response, JSON.parse(text.slice(at, end)));
    at = end + 1;
  }
  if (response === null) throw new Error('The event log is empty.');
  return response;
}

/** A stored log without all that its response does not depend on. */
export const foldedText = (text: string): string =>
  text
    .split('\n')
    .filter((line) => {
      const type = typeAt(line);
      return isLifecycle(type) || type === 'response.output_item.done';
    })
    .join('\n');

/** What a reader takes at once of a log that is there. */
export const batchCharacters = 786_432;

/** The events of a stored log behind number `after`, as frames, many at a time. */
export function* textFrames(text: string, after: number): Generator<string> {
  const folding = new Folding();
  let frames = '';
  let number = 0;
  for (let at = 0; at < text.length; ) {
    const end = lineEnd(text, at);
    const line = text.slice(at, end);
    const type = typeAt(line);
    const run = readRun(line);
    if (run === null) {
      const data = isFolded(type) ? folding.take(type, line, number) : line;
      if (number > after) frames += frame(type, data);
      number++;
    } else {
      const before = `event: ${type}\ndata: ${run.head}`;
      for (const delta of run.deltas) {
        if (number > after) frames += `${before}${delta}${run.tail}${number}}\n\n`;
        number++;
        if (frames.length < batchCharacters) continue;
        yield frames;
        frames = '';
      }
    }
    at = end + 1;
    if (frames.length < batchCharacters) continue;
    yield frames;
    frames = '';
  }
  if (frames !== '') yield frames;
}

function runAt(lines: readonly string[], from: number): { text: string; count: number } | null {
  const first = lines[from] as string;
  const delta = first.indexOf(deltaMember);
  const number = first.lastIndexOf(numberMember);
  if (delta < 0 || number < delta || from + 1 === lines.length) return null;
  const head = first.slice(0, delta + deltaMember.length - 1);
  const tail = first.slice(stringEnd(first, head.length), number + numberMember.length);
  const deltas: string[] = [];
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] as string;
    const end = `${tail}${at}}`;
    if (!line.startsWith(head) || !line.endsWith(end) || line.length < head.length + end.length) break;
    deltas.push(line.slice(head.length, line.length - end.length));
  }
  if (deltas.length < 2) return null;
  const shared = JSON.stringify({ type: typeAt(first), run: [head, tail] });
  return { text: [shared, ...deltas].join(separator), count: deltas.length };
}

function readRun(line: string): { head: string; tail: string; deltas: string[] } | null {
  const end = line.indexOf(separator);
  if (end < 0) return null;
  const [head, tail] = (JSON.parse(line.slice(0, end)) as { run: [string, string] }).run;
  return { head, tail, deltas: line.slice(end + 1).split(separator) };
}

/** Where the string ends that begins at a place of a JSON text. */
function stringEnd(json: string, start: number): number {
  let at = start + 1;
  while (json[at] !== '"') at += json[at] === '\\' ? 2 : 1;
  return at + 1;
}

function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}
