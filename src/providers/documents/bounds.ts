/** What one document may cost. */
export interface DocumentBounds {
  /** Of the file itself. */
  sourceBytes: number;
  /** UTF-16 code units of the text that is read out of it. */
  textCharacters: number;
  /** That the process computes, or ten times as many that pass. */
  seconds: number;
  /** What the process that reads may hold, with all that is its own. */
  memoryMegabytes: number;
}

export const documentBounds: DocumentBounds = {
  sourceBytes: 134_217_728,
  textCharacters: 20_000_000,
  seconds: 60,
  memoryMegabytes: 512,
};
