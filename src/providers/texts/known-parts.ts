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
export const longestKnown = 32;
/** Slots that are looked at for a part, at most: not even parts that were chosen to be in one place take long. */
const mostLooks = 8;
/** Of the slots, how many have parts when all are forgotten. */
const fullShare = 0.6;
const unitsOfPart = 10;

/**
 * Flat numbers that lie close together, as the time that a look takes is what counts: a `Map` would need each part to
 * be taken out of its text first, which takes longer than all else.
 */
export function createKnownParts(kind: 'bytes' | 'pairs of bytes', slots: 65_536 | 131_072): KnownParts {
  const mostParts = Math.floor(slots * fullShare);
  const mostUnits = mostParts * unitsOfPart;
  /** Of each slot the hash of its part and the part's number; parts count from 1. */
  const table = new Int32Array(slots * 2);
  const values = new Int32Array(mostParts + 1);
  /** Where the units of each part begin; those of the next begin where they end. */
  const starts = new Int32Array(mostParts + 2);
  const units = kind === 'bytes' ? new Uint8Array(mostUnits) : new Uint16Array(mostUnits);
  let parts = 0;

  const firstSlot = (hash: number): number => (hash ^ (hash >>> 15)) & (slots - 1);

  const is = (known: number, part: Units, start: number, end: number): boolean => {
    const from = starts[known] as number;
    const length = end - start;
    if ((starts[known + 1] as number) - from !== length) return false;
    for (let at = 0; at < length; at++) if (units[from + at] !== part[start + at]) return false;
    return true;
  };

  const clear = (): void => {
    table.fill(0);
    parts = 0;
  };

  return {
    find(part, start, end, hash) {
      let slot = firstSlot(hash);
      for (let looks = 0; looks < mostLooks; looks++) {
        const known = table[slot * 2 + 1] as number;
        if (known === 0) return -1;
        if (table[slot * 2] === hash && is(known, part, start, end)) return values[known] as number;
        slot = (slot + 1) & (slots - 1);
      }
      return -1;
    },

    note(part, start, end, hash, value) {
      if (parts === mostParts || (starts[parts + 1] as number) + longestKnown > mostUnits) clear();
      let slot = firstSlot(hash);
      for (let looks = 1; looks < mostLooks && table[slot * 2 + 1] !== 0; looks++) {
        slot = (slot + 1) & (slots - 1);
      }
      parts++;
      const from = starts[parts] as number;
      for (let at = start; at < end; at++) units[from + at - start] = part[at] as number;
      starts[parts + 1] = from + end - start;
      table[slot * 2] = hash;
      table[slot * 2 + 1] = parts;
      values[parts] = value;
    },

    clear,
  };
}
