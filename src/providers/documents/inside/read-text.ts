import { DocumentError } from '../documents.ts';
import { docxText, isDocx } from './docx.ts';
import { declaredEncoding, htmlText } from './html.ts';
import { kindOf, unsupported } from './kind.ts';
import { pdfText } from './pdf.ts';
import { decodeText } from './plain-text.ts';
import { isPptx, pptxText } from './pptx.ts';
import { tooMuchText } from './text-writer.ts';
import { isXlsx, xlsxText } from './xlsx.ts';
import { openArchive } from './zip.ts';

/** The text of a document, with lines ended by line feeds. Throws `DocumentError`s. */
export async function readText(bytes: Uint8Array, filename: string, mostCharacters: number): Promise<string> {
  if (bytes.length === 0) throw new DocumentError('invalid_file', 'The file is empty.');
  const text = (await textOf(bytes, filename, mostCharacters)).replace(/\r\n?/g, '\n').toWellFormed();
  if (text.trim() === '') throw new DocumentError('invalid_file', 'The file has no text.');
  return text;
}

async function textOf(bytes: Uint8Array, filename: string, mostCharacters: number): Promise<string> {
  const kind = kindOf(bytes, filename);
  if (kind === 'pdf') return pdfText(bytes, mostCharacters);
  if (kind === 'zip') {
    const archive = openArchive(bytes);
    if (isDocx(archive)) return docxText(archive, mostCharacters);
    if (isPptx(archive)) return pptxText(archive, mostCharacters);
    if (isXlsx(archive)) return xlsxText(archive, mostCharacters);
    throw unsupported(filename);
  }
  const text = decodeText(bytes, kind === 'html' ? declaredEncoding(bytes) : null);
  if (text === null) throw unsupported(filename);
  if (kind === 'html') return htmlText(text, mostCharacters);
  if (text.length > mostCharacters) throw tooMuchText(mostCharacters);
  return text;
}
