import { DocumentError } from '../documents.ts';

export type Kind = 'pdf' | 'zip' | 'html' | 'text';

/** Names whose content has to be what they say. */
const packed: Record<string, Kind> = { pdf: 'pdf', docx: 'zip', pptx: 'zip', xlsx: 'zip' };
const htmlEndings = new Set(['html', 'htm', 'xhtml']);
const beginningBytes = 1024;
/** Formats that are known, and not read. Most binary ones need no mention, since they are no text. */
const notRead = ['{\\rtf', '%!PS', 'GIF8', 'BZh', 'Rar!', '\x1f\x8b', '\x7fELF', '\xff\xd8\xff'];
const compoundFile = '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1';

/** Of what kind a document is: what it begins with counts, then its name. Throws a `DocumentError`. */
export function kindOf(bytes: Uint8Array, filename: string): Kind {
  const beginning = Buffer.from(bytes.subarray(0, beginningBytes)).toString('latin1');
  if (beginning.startsWith('PK\x03\x04')) return 'zip';
  // Readers of PDF have always looked past what stands before it.
  if (beginning.includes('%PDF-')) return 'pdf';
  if (beginning.startsWith(compoundFile)) throw ofCompoundFile(bytes);
  if (notRead.some((magic) => beginning.startsWith(magic))) throw unsupported(filename);
  const ending = endingOf(filename);
  const expected = packed[ending];
  if (expected !== undefined) {
    throw new DocumentError('invalid_file', `The file is named .${ending} and is not one, or is broken.`);
  }
  if (htmlEndings.has(ending)) return 'html';
  return /^(\xef\xbb\xbf)?\s*<(!doctype html|html)\b/i.test(beginning) ? 'html' : 'text';
}

export const unsupported = (filename: string): DocumentError => {
  const ending = endingOf(filename);
  return new DocumentError(
    'unsupported_file',
    `The file is of no kind that is read${ending === '' ? '' : ` (.${ending})`}.`,
  );
};

const endingOf = (filename: string): string =>
  /\.([a-z0-9]{1,12})$/i.exec(filename)?.[1]?.toLowerCase() ?? '';

/** Office puts encrypted documents into the container of its old formats. */
function ofCompoundFile(bytes: Uint8Array): DocumentError {
  const encrypted = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(
    Buffer.from('EncryptedPackage', 'utf16le'),
  );
  return encrypted
    ? new DocumentError('invalid_file', 'The file is encrypted.')
    : new DocumentError(
        'unsupported_file',
        'The binary formats of Office (.doc, .ppt, .xls) are not read; save the file as .docx, .pptx or .xlsx.',
      );
}
