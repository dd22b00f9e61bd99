import { EventEmitter } from 'node:events';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { apiError } from '../errors.ts';
import { EventStream } from '../kit/operation.ts';
import type { Exchange } from './exchange.ts';
import { connectionLimits, type MessageOperation, serveConnection } from './websocket-connection.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The server's end of a socket without a network. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  isPaused = false;
  pings = 0;
  ends: unknown[] = [];
  sent: string[] = [];
  send(text: string, done: () => void): void {
    this.sent.push(text);
    if (this.isStuck) {
      this.bufferedAmount += text.length;
      this.unsent.push(done);
    } else done();
  }
  /** Whether the other end does not read. */
  isStuck = false;
  unsent: (() => void)[] = [];
  /** The other end reads again. */
  drain(): void {
    this.bufferedAmount = 0;
    for (const done of this.unsent.splice(0)) done();
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  ping(): void {
    this.pings++;
  }
  close(...end: unknown[]): void {
    this.readyState = 2;
    this.ends.push(end);
  }
  terminate(): void {
    this.ends.push('cut');
    this.emit('close');
  }
}

async function* nothing() {}

function serve(permit = () => {}) {
  const socket = new FakeSocket();
  const work = Promise.withResolvers<EventStream>();
  const handle = vi.fn(() => work.promise);
  const operation: MessageOperation = { summary: 'Work', permit, ended() {}, check() {}, handle };
  const log = pino({ level: 'silent' });
  serveConnection(socket as unknown as WebSocket, {
    opening: {
      log,
      signal: new AbortController().signal,
      successor: () => ({ startedAt: 0, log, requestId: 'id' }),
    } as unknown as Exchange,
    operations: new Map([['work', operation]]),
    parse: JSON.parse,
    authenticate: () => ({ kind: 'key', id: 'test', name: 'test', grants: [] }),
    load: { enter() {}, admitMessage() {}, leave() {} },
    waitingBytes: 1000,
  });
  return {
    socket,
    handle,
    ask: () => socket.emit('message', Buffer.from('{"type":"work"}'), false),
    end: () => work.resolve(new EventStream(nothing(), String, nothing())),
  };
}

const { heartbeatMilliseconds, idleMilliseconds, lifeMilliseconds } = connectionLimits;

/** Passes time with another end that answers pings. */
async function pass(socket: FakeSocket, milliseconds: number): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += heartbeatMilliseconds) {
    await vi.advanceTimersByTimeAsync(heartbeatMilliseconds);
    socket.emit('pong');
  }
}

describe('a connection', () => {
  test('that answers no ping is cut', async () => {
    const { socket } = serve();
    await vi.advanceTimersByTimeAsync(heartbeatMilliseconds * 2);
    expect([socket.pings, socket.ends]).toEqual([2, []]);
    await vi.advanceTimersByTimeAsync(heartbeatMilliseconds);
    expect(socket.ends).toEqual(['cut']);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('that nobody uses is closed, and not before its work has ended', async () => {
    const { socket, ask, end } = serve();
    ask();
    await pass(socket, idleMilliseconds + heartbeatMilliseconds);
    expect(socket.ends).toEqual([]);
    end();
    await pass(socket, idleMilliseconds - heartbeatMilliseconds);
    expect(socket.ends).toEqual([]);
    await pass(socket, heartbeatMilliseconds);
    expect(socket.ends).toEqual([[1001, 'idle']]);
  });

  test('grows only so old, and its work ends first', async () => {
    const { socket, ask, end } = serve();
    ask();
    await pass(socket, lifeMilliseconds);
    expect(socket.ends).toEqual([]);
    end();
    await vi.advanceTimersByTimeAsync(0);
    expect(socket.ends).toEqual([[1001, 'age']]);
  });

  test('has no message handled that its sender may not send', async () => {
    const refused = () => {
      throw apiError('PermissionDenied', 'Not you.');
    };
    const { socket, handle, ask } = serve(refused);
    ask();
    await vi.advanceTimersByTimeAsync(0);
    expect(handle).not.toHaveBeenCalled();
    expect(JSON.parse(socket.sent.at(-1) ?? '')).toMatchObject({
      type: 'error',
      error: { code: 'PermissionDenied' },
    });
  });

  const { faultsInARow, refusalsInARow, unsentBytes, waiting } = connectionLimits;

  test('with one more message than that makes no sense, without a better one between, is closed and read no more', () => {
    const { socket, ask } = serve();
    const nonsense = () => socket.emit('message', Buffer.from('x'), false);
    for (let i = 0; i < faultsInARow; i++) nonsense();
    ask();
    for (let i = 0; i < faultsInARow; i++) nonsense();
    expect([socket.ends, socket.sent.length]).toEqual([[], 2 * faultsInARow]);
    for (let i = 0; i < 10; i++) nonsense();
    expect(socket.ends).toEqual([[1008, expect.any(String)]]);
    expect([socket.isPaused, socket.sent.length]).toEqual([true, 2 * faultsInARow]);
  });

  test('is closed for messages that go on coming where there is no room', () => {
    const { socket, ask } = serve();
    // The first is under way.
    for (let i = 0; i < 1 + waiting + refusalsInARow; i++) ask();
    expect([socket.ends, socket.sent.length]).toEqual([[], refusalsInARow]);
    ask();
    expect(socket.ends).toEqual([[1008, expect.any(String)]]);
  });

  test('is not read while its answers are not, and lives as long as they move on', async () => {
    const { socket, ask } = serve();
    socket.isStuck = true;
    for (let i = 0; i <= waiting; i++) ask();
    while (socket.bufferedAmount <= unsentBytes) {
      expect(socket.isPaused).toBe(false);
      ask();
    }
    expect(socket.isPaused).toBe(true);
    await vi.advanceTimersByTimeAsync(heartbeatMilliseconds * 2);
    socket.drain();
    expect(socket.isPaused).toBe(false);
    await vi.advanceTimersByTimeAsync(heartbeatMilliseconds);
    expect(socket.ends).toEqual([]);
  });

  test('leaves no timer behind when it closes', () => {
    const { socket } = serve();
    expect(vi.getTimerCount()).toBe(3);
    socket.emit('close');
    expect(vi.getTimerCount()).toBe(0);
  });
});
