const signatures: [type: string, start: number[], at?: number][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', [0x57, 0x45, 0x42, 0x50], 8],
];

/** The media type of an image, told by its first bytes; null for anything else. */
export const imageType = (content: Uint8Array): string | null =>
  signatures.find(([, start, at = 0]) => start.every((byte, i) => content[at + i] === byte))?.[0] ?? null;

/** `png` for `image/png`. */
export const extensionOf = (mediaType: string): string => mediaType.slice(mediaType.indexOf('/') + 1);
