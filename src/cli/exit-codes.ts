/** What the process ends with; printed by `--help` and listed in `docs/guide/command-line.md`. */
export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  configInvalid: 3,
  portInUse: 4,
  dataDirectoryInUse: 5,
  noServer: 6,
  commandNotExecutable: 126,
  commandNotFound: 127,
} as const;

/** Shells report the end by signal `n` so. */
export const signalExitBase = 128;

export const exitCodeMeanings: [code: string, meaning: string][] = [
  [String(exitCodes.ok), 'all went well'],
  [
    String(exitCodes.failure),
    'something failed, `doctor` found a problem, `purge` something left, or `drift` what breaks clients',
  ],
  [String(exitCodes.usage), 'unknown command or option, or a wrong value'],
  [
    String(exitCodes.configInvalid),
    'the configuration is missing or invalid, or too open for the address to listen on',
  ],
  [String(exitCodes.portInUse), 'the port is in use'],
  [String(exitCodes.dataDirectoryInUse), 'another server uses the data directory'],
  [String(exitCodes.noServer), 'no server runs on the data directory'],
  ['126, 127', 'COMMAND cannot be run, is not found; else it is the exit code of COMMAND'],
  ['128+N', 'ended by signal N'],
];
