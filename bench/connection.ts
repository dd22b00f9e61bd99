import { connect } from 'node:net';
import { createResponseReader } from './response-reader.ts';

export interface Answer {
  status: number;
  /** Milliseconds from the request's writing to the first byte of the body, and to its last. */
  firstByte: number;
  lastByte: number;
  text(): string;
}

export interface Connection {
  /** Sends one request and waits for the whole answer. One at a time. */
  ask(request: Buffer): Promise<Answer>;
  close(): void;
}

const silenceMilliseconds = 30_000;

/** Opens a keep-alive connection to a server on loopback. */
export async function openConnection(port: number): Promise<Connection> {
  let waiting: { resolve(answer: Answer): void; reject(error: Error): void } | null = null;
  let failure: Error | null = null;
  let askedAt = 0;
  let firstByte = 0;

  const fail = (error: Error) => {
    failure ??= error;
    socket.destroy();
    waiting?.reject(error);
    waiting = null;
  };
  const reader = createResponseReader({
    body() {
      firstByte = performance.now() - askedAt;
    },
    end({ status, body }) {
      const answer = {
        status,
        firstByte,
        lastByte: performance.now() - askedAt,
        text: () => Buffer.concat(body).toString(),
      };
      const asker = waiting;
      waiting = null;
      if (asker === null) fail(new Error('The server answered what nobody asked.'));
      else asker.resolve(answer);
    },
  });
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.setTimeout(silenceMilliseconds, () => fail(new Error('The server was silent for too long.')));
  socket.on('error', fail);
  socket.on('close', () => fail(new Error('The server closed the connection.')));
  socket.on('data', (bytes: Buffer) => {
    try {
      reader.read(bytes);
    } catch (error) {
      fail(error as Error);
    }
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });

  return {
    ask(request) {
      return new Promise((resolve, reject) => {
        if (failure !== null) return reject(failure);
        waiting = { resolve, reject };
        firstByte = 0;
        askedAt = performance.now();
        socket.write(request);
      });
    },
    close: () => {
      failure ??= new Error('The connection was closed.');
      socket.destroy();
    },
  };
}
