import Type, { type Static } from 'typebox';
import { invalidPayload, unsupportedParameter } from '../../../errors.ts';
import { imageFidelity, imageModeration, imageOptions } from '../../../kit/image-options.ts';
import { Maybe, OneOf } from '../../../kit/schema.ts';
import { type Picture, pictureOf } from './pictures.ts';

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
export function maskOf(
  { action, input_image_mask: mask }: ImageGenerationDefinition,
  target: string,
): Picture | null {
  if (!mask) return null;
  const place = `${target}.input_image_mask`;
  if (action === 'generate') {
    throw invalidPayload(place, "A mask says what to edit; 'action' is 'generate'.");
  }
  if (mask.file_id) {
    throw unsupportedParameter(
      `${place}.file_id`,
      "A mask is not read from an uploaded file here. Send it as 'image_url', a data URL.",
    );
  }
  const { image_url: url } = mask;
  if (!url) throw invalidPayload(`${place}.image_url`, "The mask needs an 'image_url', a data URL.");
  if (/^https?:/i.test(url)) {
    throw unsupportedParameter(
      `${place}.image_url`,
      'A mask is not fetched from an address; send a data URL.',
    );
  }
  const picture = pictureOf(url);
  if (picture === null) {
    throw invalidPayload(`${place}.image_url`, 'The mask is not an image as a data URL.');
  }
  return picture;
}
