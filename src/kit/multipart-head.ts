import { malformed } from './multipart-parts.ts';

/** What the headers of a part say. */
export interface MultipartHead {
  name: string;
  /** The last segment, where it is a path; empty where it leads upwards. Undefined for a field. */
  filename: string | undefined;
  contentType: string;
  charset: string;
}

const mostHeaders = 32;
/** `; name="value"`; in quotes a backslash stands before quotes and backslashes. */
const parameter = /\s*;\s*(?:([^\s=;"]+)\s*=\s*(?:"((?:[^"\\]|\\[\s\S])*)"|([^\s;"]*))\s*(?=;|$))?/y;

export function readHead(block: Buffer): MultipartHead {
  const headers = headersOf(block.toString());
  const [disposition, parameters] = wordOf(headers.get('content-disposition') ?? '');
  const name = parameters.get('name');
  if (disposition !== 'form-data' || !name) throw malformed('a part has no name');
  if (/[\r\n]/.test(name)) throw malformed('a part has a name of several lines');
  const [contentType, about] = wordOf(headers.get('content-type') ?? '');
  const wide = parameters.get('filename*');
  const filename = wide === undefined ? parameters.get('filename') : extended(wide);
  return {
    name,
    filename: filename === undefined ? undefined : lastSegment(filename),
    contentType: contentType || 'text/plain',
    charset: about.get('charset') ?? 'utf-8',
  };
}

/** By their names in lower case; of several with one name the first counts. */
function headersOf(text: string): Map<string, string> {
  const lines = text.replace(/\r\n(?=[ \t])/g, '').split('\r\n');
  if (lines.length > mostHeaders) throw malformed(`a part has more than ${mostHeaders} headers`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    if (line === '') continue;
    const [, name, value] = /^([^\s:]+)[ \t]*:[ \t]*([^\r\n]*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw malformed('a part has a header that is none');
    if (!headers.has(name.toLowerCase())) headers.set(name.toLowerCase(), value.trimEnd());
  }
  return headers;
}

/** `form-data; name="a"` as its first word, in lower case, and its parameters. */
function wordOf(header: string): [word: string, parameters: Map<string, string>] {
  const end = header.indexOf(';');
  const word = (end === -1 ? header : header.slice(0, end)).trim().toLowerCase();
  const parameters = new Map<string, string>();
  parameter.lastIndex = end === -1 ? header.length : end;
  while (parameter.lastIndex < header.length) {
    const found = parameter.exec(header);
    if (found === null) throw malformed('a header of a part has parameters that are none');
    const [, name, quoted, plain] = found;
    if (name !== undefined) {
      parameters.set(name.toLowerCase(), quoted?.replace(/\\(["\\])/g, '$1') ?? plain ?? '');
    }
  }
  return [word, parameters];
}

/** `UTF-8''na%C3%AFve.txt` */
function extended(value: string): string {
  const [, charset = '', encoded = ''] = /^([\w-]+)'[\w-]*'(.*)$/.exec(value) ?? [];
  const bytes = Buffer.from(
    encoded.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  return decoded(bytes, charset);
}

export function decoded(bytes: Uint8Array, charset: string): string {
  try {
    return new TextDecoder(charset, { ignoreBOM: true }).decode(bytes);
  } catch {
    throw malformed('a part is in a character set that this server does not know');
  }
}

function lastSegment(path: string): string {
  const name = path.slice(Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1);
  return name === '.' || name === '..' ? '' : name;
}
