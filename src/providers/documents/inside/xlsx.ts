import { relationshipsOf } from './relationships.ts';
import { type TextWriter, textWriter } from './text-writer.ts';
import { type CellFormats, cellFormats, dateText } from './xlsx-dates.ts';
import { attribute, walkXml } from './xml.ts';
import type { Archive } from './zip.ts';

const mainPart = 'xl/workbook.xml';
const mostColumns = 16_384;

export const isXlsx = (archive: Archive): boolean => archive.has(mainPart);

interface Workbook {
  sheets: { name: string; part: string }[];
  strings: string[];
  formats: CellFormats;
}

/** Each sheet under its name, its rows as lines with a tab between the cells; formulas by the values they had. */
export function xlsxText(archive: Archive, mostCharacters: number): string {
  const writer = textWriter(mostCharacters);
  const workbook = readWorkbook(archive);
  for (const { name, part } of workbook.sheets) {
    writer.paragraphBreak();
    writer.mark('# ');
    writer.words(name);
    writer.lineBreak();
    writeSheet(writer, archive.read(part), workbook);
  }
  return writer.text();
}

function readWorkbook(archive: Archive): Workbook {
  const related = relationshipsOf(archive, mainPart);
  const sheets: Workbook['sheets'] = [];
  let since1904 = false;
  walkXml(archive.read(mainPart) ?? new Uint8Array(0), {
    open(name, attributes) {
      if (name === 'workbookPr') since1904 = /^(1|true)$/.test(attributes.date1904 ?? '');
      const found = name === 'sheet' ? related.get(attribute(attributes, 'id') ?? '') : undefined;
      if (found?.type === 'worksheet') sheets.push({ name: attributes.name ?? '', part: found.target });
    },
  });
  const part = (type: string): Uint8Array | undefined => {
    const target = [...related.values()].find((each) => each.type === type)?.target;
    return target === undefined ? undefined : archive.read(target);
  };
  return {
    sheets,
    strings: sharedStrings(part('sharedStrings')),
    formats: cellFormats(part('styles'), since1904),
  };
}

function sharedStrings(bytes: Uint8Array | undefined): string[] {
  const strings: string[] = [];
  if (bytes === undefined) return strings;
  let current = '';
  let inText = false;
  let inReading = false;
  walkXml(bytes, {
    open(name) {
      if (name === 'si') current = '';
      else if (name === 'rPh') inReading = true;
      else if (name === 't') inText = !inReading;
    },
    close(name) {
      if (name === 'si') strings.push(current);
      else if (name === 'rPh') inReading = false;
      else if (name === 't') inText = false;
    },
    text(text) {
      if (inText) current += text;
    },
  });
  return strings;
}

function writeSheet(writer: TextWriter, bytes: Uint8Array | undefined, { strings, formats }: Workbook): void {
  if (bytes === undefined) return;
  let column = 0;
  let type = '';
  let style = 0;
  let value = '';
  let inValue = false;
  let writtenColumn = 0;
  walkXml(bytes, {
    open(name, attributes) {
      if (name === 'row') {
        column = 0;
        writtenColumn = 1;
        writer.lineBreak();
      } else if (name === 'c') {
        column = columnOf(attributes.r) ?? column + 1;
        type = attributes.t ?? 'n';
        style = Number(attributes.s ?? 0);
        value = '';
      } else if (name === 'v' || name === 't') inValue = true;
    },
    close(name) {
      if (name === 'v' || name === 't') inValue = false;
      else if (name === 'c' && value !== '') {
        const shown = cellText(value, type, style).replace(/\s+/g, ' ').trim();
        if (shown === '') return;
        writer.exactly('\t'.repeat(Math.max(0, column - writtenColumn)) + shown);
        writtenColumn = column;
      }
    },
    text(text) {
      if (inValue) value += text;
    },
  });

  function cellText(raw: string, kind: string, cellStyle: number): string {
    if (kind === 's') return strings[Number(raw)] ?? '';
    if (kind === 'b') return raw === '1' ? 'TRUE' : 'FALSE';
    if (kind === 'n' && formats.dates.has(cellStyle)) return dateText(Number(raw), formats.since1904) ?? raw;
    return raw;
  }
}

/** `BC7` → 55. */
function columnOf(reference: string | undefined): number | undefined {
  const letters = /^[A-Z]{1,3}/.exec(reference ?? '')?.[0];
  if (letters === undefined) return undefined;
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return Math.min(column, mostColumns);
}
