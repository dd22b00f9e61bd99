import { EventStream, type StreamEvent } from '../kit/operation.ts';
import { BrokenOff } from './sse.ts';

/** The stream up to that event, then silence. */
export const cutAfter = (stream: EventStream, event: number): EventStream =>
  changed(
    stream,
    (frames) => firstOf(frames, event, eventsIn),
    (events) => firstOf(events, event, (one) => [one]),
  );

/** The event of that number, counted from 1, loses the end of its data. */
export const malformedAt = (stream: EventStream, event: number): EventStream =>
  changed(
    stream,
    (frames) => changedAt(frames, event, eventsIn, malformedFrame),
    (events) => changedAt(events, event, (one) => [one], malformedEvent),
  );

function changed(
  { frames, events, onError }: EventStream,
  ofFrames: (frames: AsyncIterable<string>) => AsyncIterable<string>,
  ofEvents: (events: AsyncIterable<StreamEvent>) => AsyncIterable<StreamEvent>,
): EventStream {
  return new EventStream(ofFrames(frames), onError, events === null ? null : ofEvents(events));
}

/** One text may hold several events. */
const eventsIn = (text: string): string[] => text.split(/(?<=\n\n)/);

async function* firstOf<T>(
  source: AsyncIterable<T>,
  count: number,
  parts: (element: T) => T[],
): AsyncGenerator<T> {
  let left = count;
  for await (const element of source) {
    // Only here: a source that was never begun would not learn of its end.
    if (left === 0) throw new BrokenOff();
    for (const event of parts(element)) {
      yield event;
      if (--left === 0) throw new BrokenOff();
    }
  }
}

async function* changedAt<T>(
  source: AsyncIterable<T>,
  place: number,
  parts: (element: T) => T[],
  change: (event: T) => T,
): AsyncGenerator<T> {
  let left = place;
  for await (const element of source) {
    if (left <= 0) yield element;
    else for (const event of parts(element)) yield --left === 0 ? change(event) : event;
  }
}

const half = (text: string): string => text.slice(0, Math.ceil(text.length / 2));

function malformedFrame(frame: string): string {
  const data = frame.indexOf('data:');
  const text = frame.trimEnd();
  const start = data < 0 ? 0 : data + 'data: '.length;
  return `${text.slice(0, start)}${half(text.slice(start))}\n\n`;
}

const malformedEvent = ({ type, data }: StreamEvent): StreamEvent => ({ type, data: half(data) });
