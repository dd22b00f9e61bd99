/** Where large content lies: containers of blobs that clients fill and read by themselves, with signed addresses. */
export interface Blobs {
  /** In the form of Azure's resource ids. */
  readonly accountId: string;
  /** Makes a container that nobody can read without a signature; it may be there already. */
  createContainer(container: string): Promise<void>;
  /** Removes a container with all that is in it; it may be gone already. */
  deleteContainer(container: string): Promise<void>;
  /** Up to `most` blobs of a container in the order of their names, `from` the beginning of a name. */
  list(container: string, most: number, from?: string): Promise<StoredBlob[]>;
  /** In bytes; null for one that isn't there. */
  size(container: string, blob: string): Promise<number | null>;
  /** The first `most` bytes; null for one that isn't there. */
  read(container: string, blob: string, most: number): Promise<Uint8Array | null>;
  /** All bytes of a blob that is there. */
  download(container: string, blob: string): AsyncIterable<Uint8Array>;
  upload(container: string, blob: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** The address that clients use who reach this server at `origin`. */
  url(origin: string, container: string, blob?: string): string;
  /** The address of a container with the right to use it, for a while. */
  signedUrl(origin: string, container: string, rights: BlobRights): Promise<string>;
  /** What lies at an address; null for one that is elsewhere. */
  locate(url: string): BlobPlace | null;
  close(): Promise<void>;
}

export interface StoredBlob {
  name: string;
  bytes: number;
}

export interface BlobPlace {
  container: string;
  /** Empty for the container itself. */
  blob: string;
}

/** `fill`: make, replace, read and list blobs. `read`: read and list them. */
export type BlobRights = 'fill' | 'read';
