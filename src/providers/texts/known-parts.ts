/** What is known of short parts of texts, by their units. */
export interface KnownParts {
  /** What was noted of the part of `units` from `start` up to `end`; -1 where nothing is. */
  find(units: Units, start: number, end: number, hash: number): number;
  note(units: Units, start: number, end: number, hash: number, value: number): void;
  clear(): void;
}

export type Units = Uint8Array | Uint16Array;

export const hashSeed = 0x811c9dc5 | 0;
/** The hash that parts are noted by, one unit further. */
export const hashedOn = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x01000193);

/** Longer ones are rare, and come once. */
export const longestKnown = 26;
/** Slots that are looked at for a part, at most: not even parts that were chosen to be in one place take long. */
const mostLooks = 8;
/** Of the slots, how many have parts when all are forgotten. */
const fullShare = 0.6;

/** Of an entry: its part's hash, length and value. The part's units follow. */
const headInts = 3;

/**
 * A table of flat numbers, as the time that a look takes is what counts: a `Map` would need each part to be taken out
 * of its text first, which takes longer than all else. Entries lie in the order in which parts came, so that those
 * that come often, which came early, are in few pages of memory.
 */
export function createKnownParts(kind: 'bytes' | 'pairs of bytes', slots: 65_536 | 131_072): KnownParts {
  const unitsInInt = kind === 'bytes' ? 4 : 2;
  const mostParts = Math.floor(slots * fullShare);
  const mostInts = headInts + Math.ceil(longestKnown / unitsInInt);
  /** Where the entry of a part begins; 0 where there is none. */
  const index = new Int32Array(slots);
  const ints = new Int32Array((mostParts + 1) * mostInts);
  const units = kind === 'bytes' ? new Uint8Array(ints.buffer) : new Uint16Array(ints.buffer);
  let parts = 0;
  let end = mostInts;

  const firstSlot = (hash: number): number => (hash ^ (hash >>> 15)) & (slots - 1);

  const is = (entry: number, part: Units, start: number, length: number): boolean => {
    const from = (entry + headInts) * unitsInInt;
    for (let at = 0; at < length; at++) if (units[from + at] !== part[start + at]) return false;
    return true;
  };

  const clear = (): void => {
    index.fill(0);
    parts = 0;
    end = mostInts;
  };

  return {
    find(part, start, behind, hash) {
      const length = behind - start;
      let slot = firstSlot(hash);
      for (let looks = 0; looks < mostLooks; looks++) {
        const entry = index[slot] as number;
        if (entry === 0) return -1;
        if (ints[entry] === hash && ints[entry + 1] === length && is(entry, part, start, length)) {
          return ints[entry + 2] as number;
        }
        slot = (slot + 1) & (slots - 1);
      }
      return -1;
    },

    note(part, start, behind, hash, value) {
      if (parts === mostParts) clear();
      let slot = firstSlot(hash);
      for (let looks = 1; looks < mostLooks && index[slot] !== 0; looks++) slot = (slot + 1) & (slots - 1);
      parts++;
      index[slot] = end;
      ints[end] = hash;
      ints[end + 1] = behind - start;
      ints[end + 2] = value;
      const from = (end + headInts) * unitsInInt;
      for (let at = start; at < behind; at++) units[from + at - start] = part[at] as number;
      end += headInts + Math.ceil((behind - start) / unitsInInt);
    },

    clear,
  };
}
