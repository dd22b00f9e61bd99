import { describe, expect, test } from 'vitest';
import { parseArguments, parseRequest, UsageError } from './arguments.ts';
import { commandNames, commands } from './commands.ts';
import { helpFor } from './help.ts';

describe('a request', () => {
  test('names a command, with what belongs to it', () => {
    expect(parseRequest(['serve', '--port', '1'])).toEqual({
      kind: 'run',
      command: 'serve',
      rest: ['--port', '1'],
    });
  });

  test.each([
    [['--help'], null],
    [['-h'], null],
    [['help'], null],
    [['help', 'env'], 'env'],
    [['serve', '--help'], 'serve'],
    [['exec', '-h', '--', 'ls'], 'exec'],
  ])('for help: %j', (argv, command) => {
    expect(parseRequest(argv)).toEqual({ kind: 'help', command });
  });

  test('leaves the options of the program to the program', () => {
    expect(parseRequest(['exec', '--', 'ls', '--help'])).toMatchObject({ kind: 'run' });
  });

  test.each([
    [[], 'Which command?'],
    [['sreve'], "Unknown command 'sreve'. Did you mean 'serve'?"],
    [['nothing'], 'Commands are serve, env, exec, doctor'],
    [['toString'], 'Unknown command'],
    [['--port', '1'], 'Options come after the command'],
  ])('that cannot be understood: %j', (argv, message) => {
    expect(() => parseRequest(argv)).toThrow(message);
  });
});

describe('arguments', () => {
  test('have defaults', () => {
    expect(parseArguments('serve', [])).toEqual({
      values: {
        port: 8600,
        host: '127.0.0.1',
        project: null,
        'api-key': null,
        data: '.bloomery',
        config: null,
        faults: null,
        'log-level': 'info',
        json: false,
      },
      words: [],
      program: [],
    });
  });

  test('are read in both spellings, the last one counting', () => {
    const { values } = parseArguments('serve', [
      '--port=0',
      '--data',
      'a',
      '--data',
      'b',
      '--json',
      '--api-key=-x',
    ]);
    expect(values).toMatchObject({ port: 0, data: 'b', json: true, 'api-key': '-x' });
  });

  test('of a program come after --', () => {
    const { values, program } = parseArguments('exec', ['--port', '1', '--', 'run', '--port', '2', '--']);
    expect(values.port).toBe(1);
    expect(program).toEqual(['run', '--port', '2', '--']);
  });

  test.each([
    ['serve', ['--prot', '1'], "Unknown option '--prot'. Did you mean '--port'?"],
    ['serve', ['--frobnicate'], "Unknown option '--frobnicate'. Options are --port,"],
    ['serve', ['--constructor'], "Unknown option '--constructor'"],
    ['serve', ['-p', '1'], "Unknown option '-p'"],
    ['serve', ['--no-json'], "Unknown option '--no-json'"],
    ['serve', ['--port'], '--port needs a value: --port PORT'],
    ['serve', ['--port', '--json'], '--port needs a value'],
    ['serve', ['--data='], '--data needs a value'],
    ['serve', ['--port', '65536'], "--port must be a number from 0 to 65535, not '65536'."],
    ['serve', ['--port', '0x10'], '--port must be a number'],
    ['serve', ['--json=yes'], '--json takes no value'],
    ['serve', ['--log-level', 'loud'], '--log-level must be one of fatal, error'],
    ['serve', ['here'], "`serve` takes no argument 'here'."],
    ['serve', ['--', 'ls'], "`serve` takes no command after '--'."],
    ['env', ['--format', 'xml'], '--format must be one of shell, json, dotenv, powershell'],
    ['exec', ['ls'], "Put '--' before the command"],
  ] as const)('that are wrong: %s %j', (command, rest, message) => {
    expect(() => parseArguments(command, [...rest])).toThrow(UsageError);
    expect(() => parseArguments(command, [...rest])).toThrow(message);
  });
});

describe('the help', () => {
  test.each(commandNames)('of `%s` lists every option and the exit codes', (name) => {
    const help = helpFor(name);
    for (const option of Object.keys(commands[name].options)) expect(help).toContain(`--${option}`);
    expect(help).toContain(commands[name].usage);
    expect(help).toContain('Exit codes:');
    expect(helpFor(null)).toContain(commands[name].summary);
  });

  test('fits a terminal', () => {
    const longest = [null, ...commandNames]
      .flatMap((name) => helpFor(name).split('\n'))
      .map((line) => line.length);
    expect(Math.max(...longest)).toBeLessThanOrEqual(96);
  });
});
