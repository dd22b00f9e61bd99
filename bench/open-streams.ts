import { connect, type Socket } from 'node:net';

export interface OpenStreams {
  /** Arrivals from now on are noted, until `noted` is called. */
  note(): void;
  /** For each event noted, the milliseconds since the one before it on its stream. */
  noted(): Float64Array;
  close(): void;
}

const endOfFrame = Buffer.from('\n\n');
const newline = 0x0a;

/**
 * Holds many streams open at once and notes when their events come. It looks for the ends of frames only, as the
 * time that it takes is the servers' to lose. Settles when each stream has had its first event.
 */
export async function openStreams(
  port: number,
  request: Buffer,
  {
    count,
    spreadMilliseconds,
    mostEvents,
  }: { count: number; spreadMilliseconds: number; mostEvents: number },
): Promise<OpenStreams> {
  const sockets: Socket[] = [];
  const gaps = new Float64Array(mostEvents);
  let notedCount = 0;
  let noting = false;
  let closing = false;
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => {});

  const open = () =>
    new Promise<void>((resolve) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      sockets.push(socket);
      let last = 0;
      let endsInNewline = false;
      const fail = (what: string) => {
        if (!closing) failure.reject(new Error(`A stream failed: ${what}`));
      };
      socket.on('connect', () => socket.write(request));
      socket.on('error', (error) => fail(error.message));
      socket.on('close', () => fail('the server closed it.'));
      socket.once('data', (bytes: Buffer) => {
        const head = bytes.toString('latin1', 0, 400);
        if (!head.startsWith('HTTP/1.1 200 ')) fail(head);
      });
      socket.on('data', (bytes: Buffer) => {
        const now = performance.now();
        let found = endsInNewline && bytes[0] === newline ? 1 : 0;
        for (let at = bytes.indexOf(endOfFrame); at >= 0; at = bytes.indexOf(endOfFrame, at + 2)) found++;
        endsInNewline = bytes.at(-1) === newline && bytes.at(-2) !== newline;
        if (found === 0) return;
        if (last === 0) resolve();
        for (; noting && found > 0 && notedCount < mostEvents; found--) {
          gaps[notedCount++] = now - last;
          last = now;
        }
        last = now;
      });
    });

  const opened: Promise<void>[] = [];
  const start = performance.now();
  while (opened.length < count) {
    const due = Math.ceil(((performance.now() - start) / spreadMilliseconds) * count);
    while (opened.length < Math.min(due, count)) opened.push(open());
    await Promise.race([new Promise((resolve) => setTimeout(resolve, 1)), failure.promise]);
  }
  await Promise.race([Promise.all(opened), failure.promise]);

  return {
    note() {
      noting = true;
    },
    noted() {
      noting = false;
      return gaps.subarray(0, notedCount);
    },
    close() {
      closing = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}
