/** The files of a project, as other families read them. */
export interface FileDirectory {
  find(project: string, id: string): Promise<StoredFile | undefined>;
  /** Several at once; those that are not there are left out. */
  findAll(project: string, ids: readonly string[]): Promise<Map<string, StoredFile>>;
  /** Where the first of the ids stands that is not there; null where all are. */
  firstMissing(project: string, ids: readonly string[]): Promise<number | null>;
  /** Called for each file that was deleted or has expired, before its content is gone. */
  onRemoved(listener: (project: string, id: string) => Promise<void>): void;
}

export interface StoredFile {
  id: string;
  filename: string;
  bytes: number;
  purpose: string;
  /** Unix seconds. */
  createdAt: number;
  /** Where its content lies. It never changes, and may be gone when the file is. */
  path: string;
}
