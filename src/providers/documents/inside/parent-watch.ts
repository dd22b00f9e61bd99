/** A thread that ends its process when the server is gone: the main thread may be busy with a document for ever. */
import { setInterval } from 'node:timers';

const everyMilliseconds = 1000;
const { pid, ppid } = process;

setInterval(() => {
  if (process.ppid !== ppid) process.kill(pid, 'SIGKILL');
}, everyMilliseconds);
