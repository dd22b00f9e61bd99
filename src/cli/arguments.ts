import { parseArgs } from 'node:util';
import {
  type Command,
  type CommandName,
  commandNames,
  commands,
  type Option,
  type Values,
} from './commands.ts';
import { suggestion } from './suggestion.ts';

/** What was typed is wrong; the message says how to put it right. */
export class UsageError extends Error {
  /** Whose help to point at. */
  readonly command: CommandName | null;

  constructor(message: string, command: CommandName | null = null) {
    super(message);
    this.name = 'UsageError';
    this.command = command;
  }
}

export type Request =
  | { kind: 'help'; command: CommandName | null }
  | { kind: 'version' }
  | { kind: 'run'; command: CommandName; rest: string[] };

export function parseRequest(argv: string[]): Request {
  const [first, ...rest] = argv;
  if (first === undefined) throw new UsageError('Which command?');
  if (first === '--help' || first === '-h') return { kind: 'help', command: null };
  if (first === '--version' || first === '-V') return { kind: 'version' };
  if (first === 'help')
    return { kind: 'help', command: rest[0] === undefined ? null : commandNamed(rest[0]) };
  const command = commandNamed(first);
  const { own } = split(rest);
  if (own.includes('--help') || own.includes('-h')) return { kind: 'help', command };
  return { kind: 'run', command, rest };
}

function commandNamed(name: string): CommandName {
  if (Object.hasOwn(commands, name)) return name as CommandName;
  const kind = name.startsWith('-')
    ? `Options come after the command; '${name}' is none`
    : `Unknown command '${name}'`;
  throw new UsageError(
    `${kind}. ${suggestion(name, commandNames) ?? `Commands are ${commandNames.join(', ')}.`}`,
  );
}

export interface Arguments<Name extends CommandName> {
  values: Values<Name>;
  /** What stood beside the options. */
  words: string[];
  /** What followed after `--`. */
  program: string[];
}

export function parseArguments<Name extends CommandName>(name: Name, rest: string[]): Arguments<Name> {
  const command: Command = commands[name];
  const fail = (message: string): never => {
    throw new UsageError(message, name);
  };
  const { own, program } = split(rest);
  if (program !== null && !command.takesProgram) fail(`\`${name}\` takes no command after '--'.`);

  const { tokens } = parseArgs({
    args: own,
    options: Object.fromEntries(
      Object.entries(command.options).map(([key, { kind }]) => [
        key,
        { type: kind === 'flag' ? 'boolean' : 'string' },
      ]),
    ),
    strict: false,
    tokens: true,
  });
  const values: Record<string, unknown> = {};
  const words: string[] = [];
  for (const [key, option] of Object.entries(command.options)) {
    values[key] = option.kind === 'flag' ? false : (option.default ?? null);
  }
  for (const token of tokens) {
    if (token.kind === 'positional') {
      if (words.push(token.value) <= (command.mostWords ?? 0)) continue;
      fail(
        command.takesProgram
          ? `Put '--' before the command to run: ${command.usage}`
          : `\`${name}\` takes no argument '${token.value}'.`,
      );
    }
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(command.options, token.name) ? command.options[token.name] : undefined;
    if (option === undefined) {
      const known = Object.keys(command.options).map((key) => `--${key}`);
      fail(
        `Unknown option '${token.rawName}'. ${suggestion(token.rawName, known) ?? `Options are ${known.join(', ')}.`}`,
      );
    } else {
      const isOption = token.inlineValue === false && /^-./.test(token.value ?? '');
      const given = isOption ? undefined : token.value;
      const value = parseValue(token.name, option, given, fail);
      const before = values[token.name];
      values[token.name] = option.many && before !== null ? `${before},${value}` : value;
    }
  }
  return { values: values as Values<Name>, words, program: program ?? [] };
}

function parseValue(
  name: string,
  option: Option,
  value: string | undefined,
  fail: (message: string) => never,
): string | number | boolean {
  if (option.kind === 'flag') return value === undefined ? true : fail(`--${name} takes no value.`);
  if (value === undefined || value === '') return fail(`--${name} needs a value: --${name} ${option.value}`);
  if (option.kind === 'port') {
    const port = Number(value);
    const valid = /^\d+$/.test(value) && port <= 65_535;
    return valid ? port : fail(`--${name} must be a number from 0 to 65535, not '${value}'.`);
  }
  if (option.choices !== undefined && !option.choices.includes(value)) {
    return fail(`--${name} must be one of ${option.choices.join(', ')}, not '${value}'.`);
  }
  return value;
}

function split(rest: string[]): { own: string[]; program: string[] | null } {
  const end = rest.indexOf('--');
  return end === -1
    ? { own: rest, program: null }
    : { own: rest.slice(0, end), program: rest.slice(end + 1) };
}
