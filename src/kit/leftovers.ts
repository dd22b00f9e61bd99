/** What deletions and work that was broken off may leave behind in one place, to be counted and to be removed. */
export interface Leftovers {
  /** For a person to read. */
  what: string;
  /** How many there are that nothing living names; it changes nothing. */
  count(): Promise<number>;
  remove(): Promise<void>;
}
