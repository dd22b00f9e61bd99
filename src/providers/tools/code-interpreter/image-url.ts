import { imageType } from '../../../kit/media-type.ts';

/** Larger images are among the container's files only. */
const mostBytes = 1_048_576;

/** A `data:` URL of an image, told by its first bytes; null for anything else. */
export function imageUrl(content: Uint8Array): string | null {
  const type = content.length > mostBytes ? null : imageType(content);
  return type === null ? null : `data:${type};base64,${Buffer.from(content).toString('base64')}`;
}
