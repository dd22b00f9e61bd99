import { type Command, type CommandName, commandNames, commands, type Option } from './commands.ts';
import { exitCodeMeanings } from './exit-codes.ts';
import { actionsNote } from './resource-words.ts';
import { isResource } from './resources.ts';

const width = 96;
const indent = 2;

export const helpFor = (name: CommandName | null): string =>
  name === null ? overview() : commandHelp(commands[name], isResource(name) ? [actionsNote(name)] : []);

function overview(): string {
  return [
    'Bloomery: a self-hosted server for the Microsoft Foundry project API.',
    '',
    'Usage: bloomery COMMAND [options]',
    '',
    'Commands:',
    table(commandNames.map((name) => [name, commands[name].summary])),
    '',
    'Options:',
    table([
      ['-h, --help', 'this text, or that of a command: bloomery COMMAND --help'],
      ['-V, --version', 'the version'],
    ]),
    '',
    ...exitCodes(),
  ].join('\n');
}

function commandHelp(command: Command, further: string[]): string {
  const options = Object.entries(command.options).map(([name, option]): [string, string] => [
    option.value === undefined ? `--${name}` : `--${name} ${option.value}`,
    aboutOption(option),
  ]);
  return [
    `Usage: ${command.usage}`,
    '',
    sentence(command.summary),
    ...[...further, ...command.notes].flatMap((note) => wrap(note, width)),
    '',
    'Options:',
    table([...options, ['-h, --help', 'this text']]),
    '',
    ...exitCodes(),
  ].join('\n');
}

const exitCodes = (): string[] => ['Exit codes:', table(exitCodeMeanings), ''];

function aboutOption(option: Option): string {
  const choices = option.choices === undefined ? '' : `: ${option.choices.join(', ')}`;
  const preset = option.default === undefined ? '' : ` (default ${option.default})`;
  return `${option.about}${choices}${preset}`;
}

function table(rows: [string, string][]): string {
  const first = Math.max(...rows.map(([term]) => term.length)) + indent;
  return rows
    .flatMap(([term, about]) =>
      wrap(about, width - first - indent).map(
        (line, at) => `${' '.repeat(indent)}${(at === 0 ? term : '').padEnd(first)}${line}`,
      ),
    )
    .join('\n');
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
