import { GrowingBytes } from './growing-bytes.ts';
import { bytesOf, numbersOf, type SearchFile } from './search-file.ts';
import { blockOf } from './word-block.ts';

/**
 * The words of segments that were put together, in blocks by their hashes: whoever looks for a word reads one block
 * of each run.
 */
export interface Run {
  number: number;
  /** What its words took when it was written, about, less what was removed since; by this runs are merged. */
  bytes: number;
  segments: readonly number[];
}

export interface NewRun {
  /** Where a word's bytes are to be added. Words come in the order of their hashes. */
  blockFor(hash: number): GrowingBytes;
  end(): void;
}

/** Words as they are in blocks, with the hash of each, and where it ends. */
export interface HashedWords {
  bytes: Uint8Array;
  hashes: Uint32Array;
  ends: Uint32Array;
}

/** What a segment takes in the run's list of them. */
const segmentBytes = 4;
/** Three fit on a page. */
const blockBytes = 1250;
export const mostBlocks = 65_536;

/** The number of a run's block in the table. */
export const blockNumber = (run: number, block: number): number => run * mostBlocks + block;

export type RunFile = ReturnType<typeof createRunFile>;

export function createRunFile(db: SearchFile) {
  const addRun = db.prepare(
    'insert into runs (collection, newest, blocks, bytes, segments) values (?, ?, ?, ?, ?)',
  );
  const runsOf = db.prepare(
    'select number, bytes, segments from runs where collection = ? and newest >= ? and bytes < ? order by number',
  );
  const blocksOfRun = db.prepare('select blocks from runs where number = ?');
  const blockOfRun = db.prepare('select data from words where block = ?');
  const setSegments = db.prepare('update runs set segments = ?, bytes = ? where number = ?');
  const removeRun = db.prepare('delete from runs where number = ?');
  const addBlock = db.prepare('insert into words (block, data) values (?, ?)');
  const blocksOf = db.prepare('select block, data from words where block between ? and ? order by block');
  const setBlock = db.prepare('update words set data = ? where block = ?');
  const removeBlock = db.prepare('delete from words where block = ?');
  const removeBlocks = db.prepare('delete from words where block between ? and ?');
  const rangeOf = ({ number }: Run) => [blockNumber(number, 0), blockNumber(number, mostBlocks - 1)] as const;
  const packed = (segments: readonly number[]): Uint8Array => bytesOf(Uint32Array.from(segments));

  const add = (collection: number, segments: readonly number[], bytes: number) => {
    const blocks = Math.max(1, Math.min(mostBlocks, Math.ceil(bytes / blockBytes)));
    const added = addRun.run(collection, newestOf(segments), blocks, bytes, packed(segments));
    return { run: Number(added.lastInsertRowid), blocks };
  };

  return {
    /** A run of words that are all there, one behind the other, in the order of their hashes. */
    write(collection: number, segments: readonly number[], { bytes, hashes, ends }: HashedWords): void {
      const { run, blocks } = add(collection, segments, bytes.length + segments.length * segmentBytes);
      let begin = 0;
      for (let at = 0; at < hashes.length; ) {
        const block = blockOf(hashes[at] as number, blocks);
        while (at < hashes.length && blockOf(hashes[at] as number, blocks) === block) at++;
        const end = ends[at - 1] as number;
        addBlock.run(blockNumber(run, block), bytes.subarray(begin, end));
        begin = end;
      }
    },

    /** A run of words that come one by one and have about so many bytes: all of them at once would be too much. */
    begin(collection: number, segments: readonly number[], bytes: number): NewRun {
      const { run, blocks } = add(collection, segments, bytes);
      const block = new GrowingBytes();
      let current = 0;
      const write = (): void => {
        if (block.size > 0) addBlock.run(blockNumber(run, current), block.taken());
      };
      return {
        blockFor(hash) {
          const next = blockOf(hash, blocks);
          if (next !== current) write();
          current = next;
          return block;
        },
        end: write,
      };
    },

    /** Those of a collection that have this segment or a later one, and less than so many bytes. */
    ofCollection(collection: number, oldest = 0, bytes = Number.MAX_SAFE_INTEGER): Run[] {
      return runsOf.all(collection, oldest, bytes).map((row) => ({
        number: Number(row.number),
        bytes: Number(row.bytes),
        segments: [...numbersOf(row.segments, (buffer) => new Uint32Array(buffer))],
      }));
    },

    blocks: (run: Run): { block: number; data: Uint8Array }[] =>
      blocksOf.all(...rangeOf(run)) as unknown as { block: number; data: Uint8Array }[],

    /** A run of another collection with the same words, of other segments. */
    copy(
      { number, bytes }: Run,
      collection: number,
      segments: readonly number[],
      convert: (block: Uint8Array) => Uint8Array,
    ): void {
      const { blocks } = blocksOfRun.get(number) as { blocks: number };
      const copy = Number(
        addRun.run(collection, newestOf(segments), blocks, bytes, packed(segments)).lastInsertRowid,
      );
      for (let block = 0; block < blocks; block++) {
        const row = blockOfRun.get(blockNumber(number, block)) as { data: Uint8Array } | undefined;
        if (row !== undefined) addBlock.run(blockNumber(copy, block), convert(row.data));
      }
    },

    /** Leaves out a block that is empty. */
    setBlock(block: number, data: Uint8Array): void {
      if (data.length === 0) removeBlock.run(block);
      else setBlock.run(data, block);
    },

    setSegments({ number, bytes }: Run, segments: readonly number[]): void {
      setSegments.run(packed(segments), bytes, number);
    },

    remove(run: Run): void {
      removeBlocks.run(...rangeOf(run));
      removeRun.run(run.number);
    },
  };
}

const newestOf = (segments: readonly number[]): number =>
  segments.reduce((most, segment) => Math.max(most, segment), 0);
