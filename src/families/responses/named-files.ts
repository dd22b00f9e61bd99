import type { ModelProvider } from '../../providers/models/model.ts';
import type { Owner } from '../conversations/store.ts';
import type { ModelFiles, NamedFile, ReadFiles } from '../files/model-files.ts';
import { isClientToolOutput, toldOutput } from './client-tools.ts';
import type { ContentPart, Item, ToolItem } from './items.ts';

/** Reads the uploaded files that items name. Of the input, one that is not there is an error; of the context, it may be gone. */
export const readNamedFiles = (
  modelFiles: ModelFiles,
  { project }: Owner,
  { documentTypes = [] }: ModelProvider,
  context: Item[],
  input: Item[],
): Promise<ReadFiles> =>
  modelFiles.read(
    project,
    [...namedFiles(input, (at) => `input[${at}]`), ...namedFiles(context, () => null)],
    documentTypes,
  );

/** `target` tells where in the request an item stands, or null. */
const namedFiles = (items: Item[], target: (at: number) => string | null): NamedFile[] =>
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
