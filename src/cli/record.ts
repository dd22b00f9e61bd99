import { readFileSync } from 'node:fs';
import { type OwnCredential, type Recorder, startRecorder } from '../recordings/recorder.ts';
import { newApiKey } from '../trust/api-keys.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { exitCodes } from './exit-codes.ts';
import { CommandError } from './failure.ts';
import { plainText } from './plain-text.ts';
import { runRecordingServer, tell } from './recording-server.ts';

type Given = Arguments<'record'>;

export async function record({ values, program }: Given): Promise<number> {
  const upstream = upstreamOf(values.upstream);
  const file = values.out;
  if (file === null) throw wrong('Name the recording to make: --out FILE.');
  const credential = credentialOf(values);
  const upstreamCa = values['upstream-ca'] === null ? null : readCertificates(values['upstream-ca']);
  const base = upstream.pathname.replace(/\/$/, '');
  return await runRecordingServer<Recorder>({
    data: values.data,
    program,
    isJson: values.json,
    base,
    apiKey: credential?.localKey ?? null,
    start: (tls) =>
      startRecorder({
        upstream,
        upstreamCa,
        credential,
        file,
        port: values.port,
        tls,
        tell: (line) => tell(plainText(line)),
      }),
    ready: (endpoint) =>
      [
        `  Recording to ${file}.`,
        `  Endpoint     ${endpoint}`,
        ...(credential === null ? [] : [`  API key      ${credential.localKey}`]),
      ].join('\n'),
    ended: ({ written }) => `${written} ${written === 1 ? 'exchange is' : 'exchanges are'} in ${file}.`,
  });
}

const wrong = (message: string): UsageError => new UsageError(message, 'record');

function upstreamOf(text: string | null): URL {
  if (text === null) throw wrong('Say what to stand in front of: --upstream URL.');
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw wrong(`--upstream must be an address such as https://HOST/api/projects/NAME, not '${text}'.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw wrong('--upstream must hold no user and password: others can see a command line. Use --key-env.');
  }
  if (url.search !== '' || url.hash !== '') throw wrong('--upstream must be an address without ? and #.');
  return url;
}

/** Whoever can reach the recorder could use its credential, so clients then need a key of this run. */
function credentialOf(values: Given['values']): OwnCredential | null {
  const { 'key-env': key, 'token-env': token } = values;
  if (key !== null && token !== null) throw wrong('Give --key-env or --token-env, not both.');
  if (key !== null) return { header: ['api-key', secretIn(key)], localKey: newApiKey() };
  if (token !== null)
    return { header: ['authorization', `Bearer ${secretIn(token)}`], localKey: newApiKey() };
  return null;
}

function secretIn(variable: string): string {
  const secret = process.env[variable]?.trim();
  if (!secret)
    throw new CommandError(exitCodes.failure, `The environment variable ${variable} holds nothing.`);
  return secret;
}

function readCertificates(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(exitCodes.failure, `${file} cannot be read: ${(error as Error).message}`);
  }
}
