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

/** A slot is as long as what a processor fetches at once: its part's length, hash and value, then its units. */
const slotBytes = 64;
const slotInts = slotBytes / 4;
const headBytes = 12;

/**
 * One flat piece of memory, as the time that a look takes is what counts: a `Map` would need each part to be taken out
 * of its text first, which takes longer than all else.
 */
export function createKnownParts(kind: 'bytes' | 'pairs of bytes', slots: 65_536 | 131_072): KnownParts {
  const mostParts = Math.floor(slots * fullShare);
  const memory = new ArrayBuffer(slots * slotBytes);
  const heads = new Int32Array(memory);
  const units = kind === 'bytes' ? new Uint8Array(memory) : new Uint16Array(memory);
  const slotUnits = slotBytes / units.BYTES_PER_ELEMENT;
  const headUnits = headBytes / units.BYTES_PER_ELEMENT;
  let parts = 0;

  const firstSlot = (hash: number): number => (hash ^ (hash >>> 15)) & (slots - 1);

  const is = (slot: number, part: Units, start: number, length: number): boolean => {
    const from = slot * slotUnits + headUnits;
    for (let at = 0; at < length; at++) if (units[from + at] !== part[start + at]) return false;
    return true;
  };

  const clear = (): void => {
    heads.fill(0);
    parts = 0;
  };

  return {
    find(part, start, end, hash) {
      const length = end - start;
      let slot = firstSlot(hash);
      for (let looks = 0; looks < mostLooks; looks++) {
        const head = slot * slotInts;
        const known = heads[head] as number;
        if (known === 0) return -1;
        if (known === length && heads[head + 1] === hash && is(slot, part, start, length)) {
          return heads[head + 2] as number;
        }
        slot = (slot + 1) & (slots - 1);
      }
      return -1;
    },

    note(part, start, end, hash, value) {
      if (parts === mostParts) clear();
      let slot = firstSlot(hash);
      for (let looks = 1; looks < mostLooks && heads[slot * slotInts] !== 0; looks++) {
        slot = (slot + 1) & (slots - 1);
      }
      parts++;
      const head = slot * slotInts;
      heads[head] = end - start;
      heads[head + 1] = hash;
      heads[head + 2] = value;
      const from = slot * slotUnits + headUnits;
      for (let at = start; at < end; at++) units[from + at - start] = part[at] as number;
    },

    clear,
  };
}
