import { imageType } from '../../../kit/media-type.ts';

/** An image in memory. */
export interface Picture {
  content: Uint8Array<ArrayBuffer>;
  mediaType: string;
}

/** An image that the conversation has; `picture` is null where it is not at hand, such as one at an address. */
export interface ShownPicture {
  picture(): Picture | null;
}

type Item = Record<string, unknown>;

/** The images of users and of earlier calls, in the order that they came. */
export const shownPictures = (items: readonly Item[]): ShownPicture[] => items.flatMap(picturesOf);

function picturesOf(item: Item): ShownPicture[] {
  if (item.type === 'image_generation_call') {
    const { result } = item;
    return typeof result === 'string' ? [{ picture: () => decoded(result) }] : [];
  }
  if (item.type !== 'message' || !Array.isArray(item.content)) return [];
  return (item.content as Item[]).flatMap((part) =>
    part.type === 'input_image' ? [{ picture: () => pictureOf(String(part.image_url ?? '')) }] : [],
  );
}

const longestHead = 256;

/** The image of a base64 `data:` URL; null for anything else. */
export function pictureOf(url: string): Picture | null {
  const comma = url.slice(0, longestHead).indexOf(',');
  return /^data:[^,]*;base64$/i.test(url.slice(0, comma)) ? decoded(url.slice(comma + 1)) : null;
}

function decoded(base64: string): Picture | null {
  const content = Buffer.from(base64, 'base64');
  const mediaType = imageType(content);
  return mediaType === null ? null : { content, mediaType };
}
