import { DocumentError } from '../documents.ts';
import { tooMuchText } from './text-writer.ts';

/** Pages one after the other, a blank line between them. */
export async function pdfText(bytes: Uint8Array, mostCharacters: number): Promise<string> {
  const { getDocumentProxy } = await import('unpdf');
  // It takes no Buffer.
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const characterMaps = new Set<string>();
  const document = await getDocumentProxy(data, {
    verbosity: 0,
    useSystemFonts: false,
    disableFontFace: true,
    enableXfa: false,
    stopAtErrors: false,
    BinaryDataFactory: absentData((name) => characterMaps.add(name)),
  }).catch((error: unknown) => {
    throw complaint(error);
  });
  let text = '';
  let pagesWithoutFault = 0;
  for (let number = 1; number <= document.numPages; number++) {
    let page = '';
    try {
      const proxy = await document.getPage(number);
      const { items } = await proxy.getTextContent();
      for (const item of items) if ('str' in item) page += item.hasEOL ? `${item.str}\n` : item.str;
      proxy.cleanup();
      pagesWithoutFault++;
    } catch {
      // One broken page takes nothing from the others.
      continue;
    }
    page = page.trim();
    if (page === '') continue;
    if (text.length + page.length > mostCharacters) throw tooMuchText(mostCharacters);
    text += text === '' ? page : `\n\n${page}`;
  }
  // The text that stands in them is missing without a word: better none of it than half.
  const [characterMap] = characterMaps;
  if (characterMap !== undefined) {
    throw new DocumentError(
      'unsupported_file',
      `The PDF has text in a font that goes by the predefined character map '${characterMap}', which is not read here. ` +
        'Save it again with Unicode text, or send the text itself.',
    );
  }
  if (pagesWithoutFault === 0) throw new DocumentError('invalid_file', 'The PDF is broken.');
  if (text === '') {
    throw new DocumentError(
      'invalid_file',
      'The PDF has no text: its pages are images, perhaps scanned. Text in images is not read.',
    );
  }
  return text;
}

/** Data beside the documents that the library would have; there is none here, but it is told what a document needed. */
const absentData = (onCharacterMap: (name: string) => void) =>
  class {
    async fetch({ kind, filename }: { kind: string; filename: string }): Promise<never> {
      if (kind === 'cMapUrl') onCharacterMap(filename.replace(/\.bcmap$/, '').slice(0, 64));
      throw new Error('There is no such data.');
    }
  };

function complaint(error: unknown): DocumentError {
  const encrypted = error instanceof Error && error.name === 'PasswordException';
  return new DocumentError('invalid_file', encrypted ? 'The PDF is encrypted.' : 'The PDF is broken.');
}
