import type { NamedFile } from '../files/model-files.ts';
import { isClientToolOutput, toldOutput } from './client-tools.ts';
import type { ContentPart, Item, ToolItem } from './items.ts';

/** The uploaded files that items name; `target` tells where in the request an item stands, or null. */
export const namedFiles = (items: Item[], target: (at: number) => string | null): NamedFile[] =>
  items.flatMap((item, at) => {
    const place = target(at);
    if (item.type === 'message') {
      return item.content.flatMap((part, i) => namedIn(part, place && `${place}.content[${i}].file_id`));
    }
    const { picture } = isClientToolOutput(item) ? toldOutput(item as ToolItem) : { picture: null };
    return picture === null ? [] : namedIn(picture, place && `${place}.output.file_id`);
  });

function namedIn(part: ContentPart, target: string | null): NamedFile[] {
  if (part.type !== 'input_image' && part.type !== 'input_file') return [];
  const { file_id: id } = part;
  if (!id || givenUrl(part)) return [];
  return [{ id, as: part.type === 'input_image' ? 'image' : 'file', target }];
}

type Attached = Extract<ContentPart, { type: 'input_image' | 'input_file' }>;

/** What is given with the part itself goes before what it names. */
export const givenUrl = (part: Attached): string | null =>
  (part.type === 'input_image' ? part.image_url : part.file_data || part.file_url) || null;
