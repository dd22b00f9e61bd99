import { wholeTexts } from '../texts/overlaps.ts';
import { chunkNumber, numbersOf, type SearchFile, segmentChunks } from './search-file.ts';
import type { Collection } from './search-index.ts';

/** Puts the texts of chunks together: what a chunk repeats of the one before it is in the file only once. */
export function createTextReader(db: SearchFile) {
  const readOverlaps = db.prepare('select overlaps from segments where number = ?');
  const readText = db.prepare('select text from texts where chunk = ?');
  const readTexts = db.prepare('select text from texts where chunk between ? and ? order by chunk');
  const segmentsOfFile = db.prepare(`
    select segments.number from collections
    join files on files.collection = collections.number and files.id = ?
    join segments on segments.file = files.number
    where collections.project = ? and collections.id = ?
    order by segments.number`);

  const overlapsOf = (segment: number): Uint32Array => {
    const blob = readOverlaps.get(segment)?.overlaps ?? null;
    return blob === null
      ? new Uint32Array(segmentChunks)
      : numbersOf(blob, (buffer) => new Uint32Array(buffer));
  };

  return {
    chunk(segment: number, place: number): string {
      const own = (at: number): string => String(readText.get(chunkNumber(segment, at))?.text ?? '');
      let text = own(place);
      let missing = overlapsOf(segment)[place] ?? 0;
      for (let at = place - 1; missing > 0 && at >= 0; at--) {
        const part = own(at).slice(-missing);
        text = part + text;
        missing -= part.length;
      }
      return text;
    },

    ofFile({ project, id }: Collection, fileId: string): string[] {
      return segmentsOfFile.all(fileId, project, id).flatMap((row) => {
        const segment = Number(row.number);
        const parts = readTexts.all(chunkNumber(segment, 0), chunkNumber(segment, segmentChunks - 1));
        return wholeTexts(
          parts.map(({ text }) => String(text)),
          overlapsOf(segment),
        );
      });
    },
  };
}
