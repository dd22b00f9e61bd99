import { DocumentError } from '../documents.ts';

/** Text in the making: blocks on lines, cells in rows, white space put in order, and never more than a bound. */
export interface TextWriter {
  /** Running text, in which white space of any length is a blank. */
  words(text: string): void;
  /** Text as it is. */
  exactly(text: string): void;
  lineBreak(): void;
  paragraphBreak(): void;
  /** Begins a line with a mark, which is left out when nothing comes after it. */
  mark(mark: string): void;
  row(): void;
  cell(): void;
  text(): string;
}

const gaps = ['', ' ', '\n', '\n\n'] as const;
const blank = 1;
const line = 2;
const paragraph = 3;
const betweenCells = ' | ';

export function textWriter(mostCharacters: number): TextWriter {
  let written = '';
  let gap = 0;
  let marked = '';
  let cells = 0;
  /** Cells since the latest text of this row. */
  let cellsAhead = 0;
  /** Whether the cell is empty so far, so that breaks in it mean nothing. */
  let emptyCell = false;
  let rowBegun = false;

  const put = (text: string): void => {
    if (written.length + text.length > mostCharacters) throw tooMuchText(mostCharacters);
    written += text;
  };
  const widen = (to: number): void => {
    if (!emptyCell && gap < to) gap = to;
  };
  const begin = (): void => {
    if (written !== '') put(gaps[gap] ?? '');
    if (cellsAhead > 0) put(betweenCells.repeat(cellsAhead));
    if (marked !== '') put(marked);
    gap = 0;
    cellsAhead = 0;
    marked = '';
    emptyCell = false;
    rowBegun = true;
  };

  return {
    words(text) {
      const joined = text.replace(/\s+/g, ' ');
      if (joined === '') return;
      const trimmed = joined.trim();
      if (joined.startsWith(' ')) widen(blank);
      if (trimmed === '') return;
      begin();
      put(trimmed);
      if (joined.endsWith(' ')) gap = blank;
    },
    exactly(text) {
      if (text === '') return;
      begin();
      put(text);
    },
    lineBreak: () => widen(line),
    paragraphBreak: () => widen(paragraph),
    mark(mark) {
      widen(line);
      marked = mark;
    },
    row() {
      emptyCell = false;
      widen(line);
      cells = 0;
      cellsAhead = 0;
      rowBegun = false;
    },
    cell() {
      if (cells > 0) cellsAhead++;
      // Where nothing has been written of the row yet, its line break is still to come.
      if (rowBegun) gap = 0;
      cells++;
      emptyCell = true;
    },
    text: () => written,
  };
}

export const tooMuchText = (mostCharacters: number): DocumentError =>
  new DocumentError('invalid_file', `The file holds more than ${mostCharacters} characters of text.`);
