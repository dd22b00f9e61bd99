/** What the code interpreter asks of whoever keeps containers. */

export interface ContainerOwner {
  project: string;
  userIdentity: string | null;
}

export interface CodeContainers {
  /** The id that a container will have; it is made when code is first run in it. */
  newId(): string;
  isActive(id: string, owner: ContainerOwner): Promise<boolean>;
  /** Throws unless the container is there and active. */
  require(id: string, owner: ContainerOwner, target: string): Promise<void>;
  /** Throws what is wrong with a memory limit. */
  checkMemory(limit: string | null | undefined, target: string): void;
  /** Throws unless the uploaded files are there and fit; answers what they will be called. */
  checkFiles(ids: readonly string[], owner: ContainerOwner, target: string): Promise<string[]>;
  run(container: UsedContainer, code: string, signal: AbortSignal): Promise<CodeRun>;
}

export interface UsedContainer {
  id: string;
  owner: ContainerOwner;
  /** Uploaded files to be copied into it, unless they were before. */
  fileIds: readonly string[];
}

export interface CodeRun {
  /** What the code has printed, and what befell it. */
  logs: string;
  /** Files that are new or changed. */
  files: MadeFile[];
}

export interface MadeFile {
  id: string;
  /** `/mnt/data/…` */
  path: string;
  content: Uint8Array;
}
