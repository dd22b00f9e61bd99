/** Larger images are among the container's files only. */
const mostBytes = 1_048_576;

const signatures: [type: string, start: number[], at?: number][] = [
  ['image/png', [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['image/jpeg', [0xff, 0xd8, 0xff]],
  ['image/gif', [0x47, 0x49, 0x46, 0x38]],
  ['image/webp', [0x57, 0x45, 0x42, 0x50], 8],
];

/** A `data:` URL of an image, told by its first bytes; null for anything else. */
export function imageUrl(content: Uint8Array): string | null {
  if (content.length > mostBytes) return null;
  const found = signatures.find(([, start, at = 0]) => start.every((byte, i) => content[at + i] === byte));
  return found === undefined ? null : `data:${found[0]};base64,${Buffer.from(content).toString('base64')}`;
}
