import { walkXml } from './xml.ts';

export interface CellFormats {
  /** The styles of cells whose number is a date or a time. */
  dates: Set<number>;
  /** Whether days are counted from 1904, as the first Excel did. */
  since1904: boolean;
}

const millisecondsPerDay = 86_400_000;
/** Day 0 before March 1900; earlier ones are a day off, since Excel believes in 29 February 1900. */
const epoch1900 = Date.UTC(1899, 11, 30);
const epoch1904 = Date.UTC(1904, 0, 1);
const lastDay = 2_958_466;

/** Formats that have no text of their own in the file. */
const isBuiltInDate = (id: number): boolean =>
  (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58);

export function cellFormats(styles: Uint8Array | undefined, since1904: boolean): CellFormats {
  const dates = new Set<number>();
  if (styles === undefined) return { dates, since1904 };
  const dateFormats = new Set<number>();
  let inCells = false;
  let style = 0;
  walkXml(styles, {
    open(name, { numFmtId, formatCode }) {
      const format = Number(numFmtId);
      if (name === 'numFmt' && isDateCode(formatCode ?? '')) dateFormats.add(format);
      else if (name === 'cellXfs') inCells = true;
      else if (name === 'xf' && inCells) {
        if (isBuiltInDate(format) || dateFormats.has(format)) dates.add(style);
        style++;
      }
    },
    close(name) {
      if (name === 'cellXfs') inCells = false;
    },
  });
  return { dates, since1904 };
}

/** What is quoted, escaped or in brackets says nothing of days and hours. */
const isDateCode = (code: string): boolean =>
  /[ymdhs]/i.test(code.slice(0, 1000).replace(/"[^"]*"|\\.|\[[^\]]*\]|_./g, ''));

/** A day as `2025-03-09`, a moment as `2025-03-09 14:30:00`, a time alone as `14:30:00`. */
export function dateText(days: number, since1904: boolean): string | undefined {
  if (!(days >= 0 && days < lastDay)) return undefined;
  const milliseconds = Math.round(days * 86_400) * 1000;
  const text = new Date((since1904 ? epoch1904 : epoch1900) + milliseconds).toISOString();
  const day = text.slice(0, 10);
  const time = text.slice(11, 19);
  if (days < 1) return time;
  return milliseconds % millisecondsPerDay === 0 ? day : `${day} ${time}`;
}
