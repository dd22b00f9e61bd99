import { DocumentError } from '../documents.ts';
import { tooMuchText } from './text-writer.ts';

/** Pages one after the other, a blank line between them. */
export async function pdfText(bytes: Uint8Array, mostCharacters: number): Promise<string> {
  const { getDocumentProxy } = await import('unpdf');
  // It takes no Buffer.
  const data = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const document = await getDocumentProxy(data, {
    verbosity: 0,
    useSystemFonts: false,
    disableFontFace: true,
    enableXfa: false,
    stopAtErrors: false,
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
  if (pagesWithoutFault === 0) throw new DocumentError('invalid_file', 'The PDF is broken.');
  if (text === '') {
    throw new DocumentError(
      'invalid_file',
      'The PDF has no text: its pages are images, perhaps scanned. Text in images is not read.',
    );
  }
  return text;
}

function complaint(error: unknown): DocumentError {
  const encrypted = error instanceof Error && error.name === 'PasswordException';
  return new DocumentError('invalid_file', encrypted ? 'The PDF is encrypted.' : 'The PDF is broken.');
}
