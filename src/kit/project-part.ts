import type { RawBuilder } from 'kysely';
import type { Database } from '../storage/database.ts';

/** A table with rows of projects, as forks, deletion and archives go about it. All columns go along. */
export interface ProjectTable {
  table: string;
  /**
   * `kept`: a fork and an archive have its rows. `left`: they do not, since the rows are of what is under way.
   * `outlives`: the rows are of what is gone already, and stay when their project goes.
   */
  rows: 'kept' | 'left' | 'outlives';
  /** Of rows that are kept: what tells them apart within their project; unique there. */
  key?: readonly string[];
  /** Of a table that has no `project`: where its rows belong. */
  parent?: { table: string; column: string };
  /** Those of the rows that are kept. */
  where?: RawBuilder<boolean>;
  /** What columns are in a fork, where it is not the same. */
  instead?: Record<string, RawBuilder<unknown>>;
  /** Columns that count: of each, the table whose `seq` it counts by. An import gives numbers of its own. */
  counts?: Record<string, string>;
  /** Its `seq` counts within a project, and a fork has the same; else through all projects, and a fork has others. */
  countedWithin?: 'project';
  /** Columns of text that are JSON, or null. */
  json?: readonly string[];
  /** Columns of text that may name resources of their own project by full id. */
  names?: readonly string[];
}

/** What a family has of projects. */
export interface ProjectPart {
  tables: readonly ProjectTable[];
  /** Ends what is under way in a project, visibly. Until it is over nothing new begins there. */
  end?(project: string): Promise<void>;
  /**
   * Before the rows of a project are removed, in the same transaction: notes what lies elsewhere and what no other
   * project has. It is removed by what is answered, once the rows are gone.
   */
  removing?(project: string, on: Database): Promise<() => Promise<void>>;
  /** What an archive of a project has besides its rows, and how its rows differ. */
  archive?: ArchivePart;
  /** The rows of a project have changed altogether: what was remembered of them is forgotten, what they ask for begun. */
  changed?(project: string): void;
}

export type Value = string | number | null;
export type Row = Record<string, Value>;

/** Something that lies outside of the database. */
export interface ArchivedContent {
  /** Told to the import again; it means nothing else. */
  name: string;
  bytes: number;
  read(): AsyncIterable<Uint8Array>;
}

export interface ArchivePart {
  /** What begins the names of contents. */
  folder?: string;
  /** Changes the rows of a project that is only there to be written to an archive, so that nothing comes of them. */
  still?(project: string, on: Database): Promise<void>;
  /** A row as the archive has it, without secrets unless it is told how they go along. */
  exported?(table: string, row: Row, secrets: ArchiveSecrets | null): Row;
  contents?(project: string): AsyncIterable<ArchivedContent>;
  /** For one archive that is read into a project. */
  importer?(project: string, secrets: ArchiveSecrets | null): ArchiveImporter;
}

/** How secrets get from a server into an archive, or out of one into a server. */
export interface ArchiveSecrets {
  /** Sealed for there, in place of sealed for here; null for what nothing opens any more. */
  carry(sealed: string, purpose: string): string | null;
  /** Seals for there. */
  seal(text: string, purpose: string): string;
}

export interface ArchiveImporter {
  take?(content: Pick<ArchivedContent, 'name' | 'bytes'>, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** A row as this server has it. Throws for one that does not do. */
  imported?(table: string, row: Row): Row;
  /** All rows are written; called in their transaction. */
  written?(on: Database): Promise<void>;
  /** Lets go of what was taken: there will be no rows. */
  discard?(): Promise<void>;
}
