/** What a content is, by its first bytes where they tell, else by what its sender says, else by its name. */
export function mediaType(filename: string, start: Uint8Array, declared: string | null = null): string {
  const signed = imageType(start) ?? (isPdf(start) ? 'application/pdf' : null);
  if (signed !== null) return signed;
  if (declared !== null && !/\/octet-stream$/.test(declared)) return declared;
  const extension = filename.slice(filename.lastIndexOf('.') + 1).toLowerCase();
  return byExtension[extension] ?? (isText(start) ? 'text/plain' : 'application/octet-stream');
}

/** What a sender says that a content is, where it is the form of a media type. */
export const declaredType = (type: string): string =>
  /^[\w.+-]{1,64}\/[\w.+-]{1,128}$/.test(type) ? type.toLowerCase() : 'application/octet-stream';

/** Whether it can be read as it is, by whoever reads text. */
export const isTextType = (type: string): boolean => /^(text\/|application\/(json|xml|yaml)$)/.test(type);

const isPdf = (start: Uint8Array): boolean =>
  Buffer.from(start.subarray(0, 5)).toString('latin1') === '%PDF-';

const office = 'application/vnd.openxmlformats-officedocument';
const byExtension: Record<string, string> = {
  csv: 'text/csv',
  doc: 'application/msword',
  docx: `${office}.wordprocessingml.document`,
  htm: 'text/html',
  html: 'text/html',
  json: 'application/json',
  jsonl: 'text/plain',
  md: 'text/markdown',
  pptx: `${office}.presentationml.presentation`,
  tsv: 'text/tab-separated-values',
  txt: 'text/plain',
  xlsx: `${office}.spreadsheetml.sheet`,
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
};

/** Source code and the like have no end of extensions; what is well-formed UTF-8 without NULs is text. */
function isText(start: Uint8Array): boolean {
  if (start.includes(0)) return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(start, { stream: true });
    return true;
  } catch {
    return false;
  }
}

const signatures: [type: string, start: number[], at?: number][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', [0x57, 0x45, 0x42, 0x50], 8],
];

/** The media type of an image, told by its first bytes; null for anything else. */
export const imageType = (content: Uint8Array): string | null =>
  signatures.find(([, start, at = 0]) => start.every((byte, i) => content[at + i] === byte))?.[0] ?? null;

/** `png` for `image/png`. */
export const extensionOf = (mediaType: string): string => mediaType.slice(mediaType.indexOf('/') + 1);
