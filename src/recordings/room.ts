/** How many bytes may be held at once, of all that is under way together. */
export class Room {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  free(bytes: number): void {
    this.#left += bytes;
  }
}
