/** An uploaded file, a `data:` URL, or a web address. */
export type FileSource = { id: string } | { url: string };

/** A file that a prompt names or carries. */
export interface NamedFile {
  source: FileSource;
  as: 'image' | 'file';
  /** The name that the prompt gives it. */
  filename?: string | null;
  /** Where the request names it; null where an earlier one did. */
  target: string | null;
}

/** A file as data: the document itself, or the text of it. */
export interface ReadFile {
  url: string;
  filename: string | null;
}

export type ReadFiles = (source: FileSource, as: NamedFile['as']) => ReadFile | undefined;

/** For those who only tell of a prompt: what is given with it is taken as it is, the rest is not read. */
export const filesAsGiven: ReadFiles = (source) =>
  'url' in source ? { url: source.url, filename: null } : undefined;

export const isWebAddress = (url: string): boolean => /^https?:\/\//i.test(url);
