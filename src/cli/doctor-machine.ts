import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { connect } from 'node:tls';
import { certificateFiles } from '../trust/certificates.ts';
import { codeOf } from '../trust/durable-file.ts';
import type { RunFile } from '../trust/run-file.ts';
import { type Finding, fine, problem } from './finding.ts';

const oldestNode = [24, 9];
const handshakeMilliseconds = 2000;
const toleratedSkew = 5 * 60_000;
const anyPort = 0;

export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [neededMajor = 0, neededMinor = 0] = oldestNode;
  return major > neededMajor || (major === neededMajor && minor >= neededMinor)
    ? fine('Node.js', version)
    : problem('Node.js', `${version} is too old`, `Install Node.js ${oldestNode.join('.')} or newer.`);
}

/** Compares with what model servers say the time is, and with the birth of our own CA. */
export function checkClock(directory: string, remoteTimes: number[], now: number = Date.now()): Finding {
  const subject = 'clock';
  const shown = new Date(now).toISOString();
  const fix = 'Set the clock of this machine, best by NTP: tokens and certificates depend on it.';
  const [remote] = remoteTimes.filter((time) => Math.abs(time - now) > toleratedSkew);
  if (remote !== undefined) {
    return problem(subject, `${shown} here, but ${new Date(remote).toISOString()} at a model server`, fix);
  }
  try {
    const born = new X509Certificate(readFileSync(certificateFiles(directory).caFile)).validFromDate;
    if (born.getTime() > now) return problem(subject, `${shown} is before the local CA was made`, fix);
  } catch {}
  return fine(subject, shown);
}

export async function checkPort(
  directory: string,
  server: RunFile | null,
  host: string,
  port: number,
): Promise<Finding> {
  const subject = `port ${server?.port ?? port}`;
  const { caFile } = certificateFiles(directory);
  if (server !== null) {
    const fault = await handshakeFault(new URL(server.endpoint).hostname, server.port, caFile);
    return fault === null
      ? fine(subject, `the server with process id ${server.pid} answers, with a certificate of the local CA`)
      : problem(
          subject,
          `process ${server.pid} is to serve there, but the TLS handshake failed: ${fault}`,
          'Restart the server; see its log.',
        );
  }
  const fault = await listenFault(host, port);
  if (fault === null) return fine(subject, 'free');
  if (fault === 'EADDRINUSE') {
    const ours = (await handshakeFault(host, port, caFile)) === null;
    return problem(
      subject,
      ours ? 'in use by a server with our CA that has left no run file' : 'in use by another program',
      `Stop that program (\`lsof -i :${port}\` names it), or serve on another port with --port.`,
    );
  }
  const fix = fault === 'EACCES' ? 'Choose a port above 1023 with --port.' : 'Correct --host and --port.';
  return problem(subject, `cannot be listened on at ${host} (${fault})`, fix);
}

function listenFault(host: string, port: number): Promise<string | null> {
  if (port === anyPort) return Promise.resolve(null);
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', (error) => resolve(codeOf(error) ?? error.message));
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(null)));
  });
}

function handshakeFault(host: string, port: number, caFile: string): Promise<string | null> {
  let ca: Buffer;
  try {
    ca = readFileSync(caFile);
  } catch (error) {
    return Promise.resolve((error as Error).message);
  }
  const loopback = host === '0.0.0.0' || host === '::' || host === 'localhost';
  return new Promise((resolve) => {
    const socket = connect({
      host: loopback ? '127.0.0.1' : host.replace(/^\[|\]$/g, ''),
      port,
      ca,
      servername: 'localhost',
    });
    const finish = (fault: string | null) => {
      socket.destroy();
      resolve(fault);
    };
    socket.setTimeout(handshakeMilliseconds, () => finish('no answer'));
    socket.once('secureConnect', () => finish(null));
    socket.once('error', (error) => finish(error.message));
  });
}
