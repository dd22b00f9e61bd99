import { relationshipsOf } from './relationships.ts';
import { type TextWriter, textWriter } from './text-writer.ts';
import { attribute, walkXml } from './xml.ts';
import type { Archive } from './zip.ts';

const mainPart = 'ppt/presentation.xml';
/** Fields of a slide that repeat on each. */
const furniture = new Set(['sldNum', 'dt', 'ftr', 'hdr', 'sldImg']);
const titles = new Set(['title', 'ctrTitle']);

export const isPptx = (archive: Archive): boolean => archive.has(mainPart);

/** The slides in their order, titles as headings, each followed by its notes. */
export function pptxText(archive: Archive, mostCharacters: number): string {
  const writer = textWriter(mostCharacters);
  for (const slide of slidesOf(archive)) {
    writer.paragraphBreak();
    writePart(writer, archive, slide);
    for (const { type, target } of relationshipsOf(archive, slide).values()) {
      if (type !== 'notesSlide') continue;
      writer.paragraphBreak();
      writer.mark('Notes: ');
      writePart(writer, archive, target);
    }
  }
  return writer.text();
}

function slidesOf(archive: Archive): string[] {
  const slides: string[] = [];
  const related = relationshipsOf(archive, mainPart);
  walkXml(archive.read(mainPart) ?? new Uint8Array(0), {
    open(name, attributes) {
      const target = name === 'sldId' ? related.get(attributes['r:id'] ?? '')?.target : undefined;
      if (target !== undefined) slides.push(target);
    },
  });
  return slides;
}

function writePart(writer: TextWriter, archive: Archive, part: string): void {
  const bytes = archive.read(part);
  if (bytes === undefined) return;
  let left = false;
  let inTitle = false;
  let inText = false;
  let inFallback = 0;
  walkXml(bytes, {
    open(name, attributes) {
      if (name === 'Fallback') inFallback++;
      if (name === 'sp') left = false;
      else if (name === 'ph') {
        const type = attribute(attributes, 'type') ?? '';
        left = furniture.has(type);
        if (titles.has(type)) {
          inTitle = true;
          writer.mark('# ');
        }
      }
      if (left || inFallback > 0) return;
      if (name === 'p' || name === 'br') writer.lineBreak();
      else if (name === 't') inText = true;
      else if (name === 'tr') writer.row();
      else if (name === 'tc') writer.cell();
    },
    close(name) {
      if (name === 'Fallback') inFallback--;
      else if (name === 't') inText = false;
      else if (name === 'sp') {
        left = false;
        if (inTitle) writer.mark('');
        inTitle = false;
      } else if (name === 'tbl') writer.row();
    },
    text(text) {
      if (inText && !left && inFallback === 0) writer.words(text);
    },
  });
}
