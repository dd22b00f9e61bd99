import { imageType } from '../../../kit/media-type.ts';
import { isWebAddress } from '../../../kit/named-files.ts';
import type { ToolContext } from '../tool.ts';

/** An image in memory. */
export interface Picture {
  content: Uint8Array<ArrayBuffer>;
  mediaType: string;
}

/** An image that the conversation has; `picture` is null for what is none. */
export interface ShownPicture {
  picture(): Promise<Picture | null>;
}

type Item = Record<string, unknown>;
type ReadImage = ToolContext['image'];

/** The images of users and of earlier calls, in the order that they came. */
export const shownPictures = (items: readonly Item[], read: ReadImage): ShownPicture[] =>
  items.flatMap((item) => picturesOf(item, read));

function picturesOf(item: Item, read: ReadImage): ShownPicture[] {
  if (item.type === 'image_generation_call') {
    const { result } = item;
    return typeof result === 'string' ? [{ picture: async () => decoded(result) }] : [];
  }
  if (item.type !== 'message' || !Array.isArray(item.content)) return [];
  return (item.content as Item[]).flatMap((part) =>
    part.type === 'input_image' ? [{ picture: () => readPicture(part, read, 'input') }] : [],
  );
}

/** The image that `image_url` has or `file_id` names; null for what is none. */
export async function readPicture(
  { image_url: url, file_id: id }: { image_url?: unknown; file_id?: unknown },
  read: ReadImage,
  target: string,
): Promise<Picture | null> {
  if (typeof url === 'string' && url !== '') {
    return pictureOf(isWebAddress(url) ? await read({ url }, target) : url);
  }
  return pictureOf(await read({ id: String(id) }, target));
}

const longestHead = 256;

/** The image of a base64 `data:` URL; null for anything else. */
function pictureOf(url: string): Picture | null {
  const comma = url.slice(0, longestHead).indexOf(',');
  return /^data:[^,]*;base64$/i.test(url.slice(0, comma)) ? decoded(url.slice(comma + 1)) : null;
}

function decoded(base64: string): Picture | null {
  const content = Buffer.from(base64, 'base64');
  const mediaType = imageType(content);
  return mediaType === null ? null : { content, mediaType };
}
