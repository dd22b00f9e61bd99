import { readRecording } from '../recordings/recording.ts';
import { type Replay, replayToken, startReplay } from '../recordings/replay.ts';
import { type Arguments, UsageError } from './arguments.ts';
import { plainText } from './plain-text.ts';
import { runRecordingServer, tell } from './recording-server.ts';

export async function replay({ values, words, program }: Arguments<'replay'>): Promise<number> {
  const [file] = words;
  if (file === undefined) throw new UsageError('Which recording? bloomery replay FILE', 'replay');
  const recording = await readRecording(file);
  if (recording.isTorn) tell(`The last line of ${file} is torn, and is left out.`);
  const count = recording.exchanges.length;
  return await runRecordingServer<Replay>({
    data: values.data,
    program,
    isJson: values.json,
    base: recording.heading.base,
    apiKey: replayToken,
    start: (tls) =>
      startReplay({
        recording,
        isLenient: values.lenient,
        isTimed: values.timing,
        port: values.port,
        tls,
        tell: (line) => tell(plainText(line)),
      }),
    ready: (endpoint) => `  Replaying ${count} exchanges of ${file}.\n  Endpoint     ${endpoint}`,
    ended: ({ misses, unserved }) =>
      `${misses} ${misses === 1 ? 'request was' : 'requests were'} not in the recording; ${unserved} of its ${count} exchanges were not asked for.`,
  });
}
