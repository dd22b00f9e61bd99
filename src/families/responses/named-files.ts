import { invalidPayload } from '../../errors.ts';
import type { Context } from '../../kit/context.ts';
import { furtherActions } from '../../kit/data-action.ts';
import type { FileSource, NamedFile, ReadFiles } from '../../kit/named-files.ts';
import type { ModelProvider } from '../../providers/models/model.ts';
import type { Owner } from '../conversations/store.ts';
import type { ModelFiles } from '../files/model-files.ts';
import { isClientToolOutput, toldOutput } from './client-tools.ts';
import type { ContentPart, Item, ToolItem } from './items.ts';

/** Reads the files that items name or carry. Of the input, one that is not to be had is an error; of the context, it may be gone. */
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

/** Whoever has uploaded files read for a model needs to be allowed to read them. */
export function requireFiles(ctx: Context, items: Item[]): void {
  const namesAny = namedFiles(items, () => null).some(({ source }) => 'id' in source);
  if (namesAny) ctx.requireAction(furtherActions.readFiles);
}

/** One image, for a tool. */
export async function readImage(
  modelFiles: ModelFiles,
  project: string,
  source: FileSource,
  target: string,
): Promise<string> {
  const files = await modelFiles.read(project, [{ source, as: 'image', target }], []);
  const image = files(source, 'image');
  if (image === undefined) throw new Error('A file that was asked for is neither there nor missing.');
  return image.url;
}

/** `target` tells where in the request an item stands, or null. */
const namedFiles = (items: Item[], target: (at: number) => string | null): NamedFile[] =>
  items.flatMap((item, at) => {
    const place = target(at);
    if (item.type === 'message') {
      return item.content.flatMap((part, i) => namedIn(part, place && `${place}.content[${i}]`));
    }
    const { picture } = isClientToolOutput(item) ? toldOutput(item as ToolItem) : { picture: null };
    return picture === null ? [] : namedIn(picture, place && `${place}.output`);
  });

function namedIn(part: ContentPart, place: string | null): NamedFile[] {
  if (part.type !== 'input_image' && part.type !== 'input_file') return [];
  const as = part.type === 'input_image' ? 'image' : 'file';
  const filename = part.type === 'input_file' ? part.filename : null;
  const { member, value } = given(part);
  const target = place && `${place}.${member}`;
  if (value === '') return [];
  if (member === 'file_id') return [{ source: { id: value }, as, target }];
  if (place !== null) checkUrl(member, value, `${place}.${member}`);
  return [{ source: { url: value }, as, filename: filename ?? null, target }];
}

type Attached = Extract<ContentPart, { type: 'input_image' | 'input_file' }>;

/** What is given with the part itself goes before what it names. */
function given(part: Attached): { member: string; value: string } {
  const [member, value] =
    Object.entries(
      part.type === 'input_image'
        ? { image_url: part.image_url }
        : { file_data: part.file_data, file_url: part.file_url },
    ).find(([, url]) => url) ?? [];
  return member && value ? { member, value } : { member: 'file_id', value: part.file_id ?? '' };
}

const forms: Record<string, { form: RegExp; rule: string }> = {
  image_url: { form: /^(data:|https?:\/\/)/i, rule: 'a data: URL of an image, or an https: address' },
  file_data: { form: /^data:/i, rule: 'a data: URL, such as data:application/pdf;base64,…' },
  file_url: { form: /^(data:|https?:\/\/)/i, rule: 'an https: address' },
};

function checkUrl(member: string, value: string, target: string): void {
  const { form, rule } = forms[member] ?? {};
  if (form && !form.test(value)) throw invalidPayload(target, `'${member}' has to be ${rule}.`);
}

/** Where the content of a part comes from. */
export function sourceOf(part: Attached): FileSource {
  const { member, value } = given(part);
  return member === 'file_id' ? { id: value } : { url: value };
}
