import { recordOf } from '../kit/record.ts';
import { bufferOf, type RecordedAnswer } from './format.ts';

/** An answer as its client reads it. */
export interface SeenAnswer {
  status: number;
  media: string;
  /** The names of those that do not come and go by themselves. */
  headers: Set<string>;
  /** JSON, or the text of what is none. */
  value: unknown;
  /** Of a stream, by type in their order; null where it is none. */
  events: Map<string, unknown[]> | null;
  isWhole: boolean;
}

const passing =
  /^(age|alt-svc|cf-.*|content-length|content-type|openai-processing-ms|retry-after.*|server|server-timing|via|x-cache|x-envoy-.*|x-ratelimit-.*)$/;

export function answerOf({ status, headers, chunks, end }: RecordedAnswer): SeenAnswer {
  const named = headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  const type = named.find(([name]) => name === 'content-type')?.[1] ?? 'nothing';
  const media = type.split(';')[0]?.trim().toLowerCase() ?? type;
  const text = Buffer.concat(chunks.map(([, bytes]) => bufferOf(bytes))).toString();
  const isStream = media === 'text/event-stream';
  return {
    status,
    media,
    headers: new Set(named.map(([name]) => name).filter((name) => !passing.test(name))),
    value: isStream ? null : parsed(text),
    events: isStream ? eventsIn(text) : null,
    isWhole: end === 'whole',
  };
}

function eventsIn(text: string): Map<string, unknown[]> {
  const events = new Map<string, unknown[]>();
  for (const frame of text.split(/\r?\n\r?\n/)) {
    const lines = frame.split(/\r?\n/);
    const of = (field: string): string[] =>
      lines.filter((line) => line.startsWith(`${field}:`)).map((line) => line.slice(field.length + 1).trim());
    const data = of('data').join('\n');
    if (data === '') continue;
    const value = parsed(data);
    const type = of('event')[0] ?? recordOf(value).type ?? 'message';
    const before = events.get(String(type));
    if (before === undefined) events.set(String(type), [value]);
    else before.push(value);
  }
  return events;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
