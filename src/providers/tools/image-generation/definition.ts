import Type, { type Static } from 'typebox';
import { invalidPayload } from '../../../errors.ts';
import { imageFidelity, imageModeration, imageOptions } from '../../../kit/image-options.ts';
import { Maybe, OneOf } from '../../../kit/schema.ts';
import type { ToolContext } from '../tool.ts';
import { type Picture, readPicture } from './pictures.ts';

export const ImageGenerationDefinition = Type.Object({
  type: Type.Literal('image_generation'),
  model: Maybe(Type.String({ minLength: 1, maxLength: 256, description: 'Name of a model deployment.' })),
  action: Maybe(OneOf('auto', 'generate', 'edit')),
  ...imageOptions,
  moderation: imageModeration,
  input_fidelity: imageFidelity,
  input_image_mask: Maybe(
    Type.Object({ image_url: Maybe(Type.String({ minLength: 1 })), file_id: Maybe(Type.String()) }),
  ),
});
export type ImageGenerationDefinition = Static<typeof ImageGenerationDefinition>;

/** The part of the image that is to be changed; null for all of it. Refuses what is no such part. */
export async function readMask(
  { action, input_image_mask: mask }: ImageGenerationDefinition,
  { target, image }: Pick<ToolContext, 'target' | 'image'>,
): Promise<Picture | null> {
  if (!mask) return null;
  const place = `${target}.input_image_mask`;
  if (action === 'generate') {
    throw invalidPayload(place, "A mask says what to edit; 'action' is 'generate'.");
  }
  const member = !mask.image_url && mask.file_id ? 'file_id' : 'image_url';
  const at = `${place}.${member}`;
  if (!mask[member]) throw invalidPayload(at, "The mask needs an 'image_url' or a 'file_id'.");
  const picture = await readPicture(mask, image, at);
  if (picture === null) throw invalidPayload(at, 'The mask is no PNG, JPEG, GIF or WebP.');
  return picture;
}
