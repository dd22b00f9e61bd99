import { textWriter } from './text-writer.ts';
import { attribute, walkXml } from './xml.ts';
import type { Archive } from './zip.ts';

const mainPart = 'word/document.xml';
/** Notes come after the text, as at the end of a chapter. */
const parts = [mainPart, 'word/footnotes.xml', 'word/endnotes.xml'];
const mostLevels = 6;
const mostIndents = 8;

export const isDocx = (archive: Archive): boolean => archive.has(mainPart);

/** Paragraphs on lines of their own, headings and lists with the marks of Markdown, tables as rows. */
export function docxText(archive: Archive, mostCharacters: number): string {
  const writer = textWriter(mostCharacters);
  const levels = headingLevels(archive);
  for (const part of parts) {
    const bytes = archive.read(part);
    if (bytes === undefined) continue;
    writer.paragraphBreak();
    let inProperties = 0;
    let inText = 0;
    // What programs show that don't know what stands beside it: the same text again.
    let inFallback = 0;
    let tables = 0;
    let heading = false;
    walkXml(bytes, {
      open(name, attributes) {
        if (name === 'Fallback') inFallback++;
        if (inFallback > 0) return;
        const value = attribute(attributes, 'val') ?? '';
        if (name === 'p') tables > 0 ? writer.lineBreak() : writer.paragraphBreak();
        else if (name === 'pPr') {
          inProperties++;
          heading = false;
        } else if (inProperties > 0) {
          const level = name === 'pStyle' ? levels.get(value) : name === 'outlineLvl' ? Number(value) + 1 : 0;
          if (level !== undefined && level >= 1 && level <= mostLevels) {
            heading = true;
            writer.mark(`${'#'.repeat(level)} `);
          } else if (name === 'ilvl' && !heading) {
            writer.mark(`${'  '.repeat(Math.min(Number(value) || 0, mostIndents))}- `);
          }
        } else if (name === 't') inText++;
        else if (name === 'tab') writer.words(' ');
        else if (name === 'br' || name === 'cr') writer.lineBreak();
        else if (name === 'noBreakHyphen') writer.words('-');
        else if (name === 'tbl') {
          if (tables === 0) writer.paragraphBreak();
          tables++;
        } else if (name === 'tr') writer.row();
        else if (name === 'tc') writer.cell();
      },
      close(name) {
        if (name === 'Fallback') inFallback--;
        if (inFallback > 0) return;
        if (name === 'pPr') inProperties--;
        else if (name === 'p') writer.mark('');
        else if (name === 't' && inProperties === 0) inText--;
        else if (name === 'tbl') {
          tables--;
          writer.row();
          writer.paragraphBreak();
        }
      },
      text(text) {
        if (inText > 0 && inFallback === 0) writer.words(text);
      },
    });
  }
  return writer.text();
}

/** The levels of the styles that are headings: their ids are in the language they were made in, their names are not. */
function headingLevels(archive: Archive): Map<string, number> {
  const levels = new Map<string, number>();
  const bytes = archive.read('word/styles.xml');
  if (bytes === undefined) return levels;
  let style = '';
  walkXml(bytes, {
    open(name, attributes) {
      const value = attribute(attributes, 'val') ?? '';
      if (name === 'style') style = attribute(attributes, 'styleId') ?? '';
      else if (name === 'name') {
        const level = /^heading ([1-6])$/i.exec(value)?.[1] ?? (/^title$/i.test(value) ? '1' : undefined);
        if (level !== undefined) levels.set(style, Number(level));
      } else if (name === 'outlineLvl' && !levels.has(style)) levels.set(style, Number(value) + 1);
    },
  });
  return levels;
}
