import { mostImagesToEdit } from '../../../kit/image-options.ts';
import type { ToolFunction } from '../tool.ts';
import { toolFailure } from '../tool-failure.ts';
import type { ImageGenerationDefinition } from './definition.ts';
import type { ImageOrder } from './make-image.ts';
import type { Picture, ShownPicture } from './pictures.ts';

/** Of all images of one edit: they are held in memory. */
const mostBytesToEdit = 67_108_864;

export const functionName = 'image_generation';

/** What the model is offered: to make an image, and, as `action` allows, to edit those of the conversation. */
export function offeredFunction({ action }: ImageGenerationDefinition): ToolFunction {
  const isEdit = action === 'edit';
  const images = {
    type: 'array',
    items: { type: 'integer' },
    description:
      'Which images of the conversation to edit or to go by, counted from 1 in the order that they came, those that ' +
      `were made by this tool included. Left out, ${isEdit ? 'it is the latest' : 'a new image is made'}.`,
  };
  return {
    name: functionName,
    qualifiedName: 'server_image_generation',
    description: isEdit
      ? 'Edit an image of the conversation, and show the result to the user.'
      : 'Generate an image, such as a picture, drawing, photo or logo, and show it to the user.',
    parameters: {
      type: 'object',
      properties: {
        prompt: { type: 'string', description: 'What the image is to show, in words.' },
        ...(action === 'generate' ? {} : { images }),
      },
      required: ['prompt'],
      additionalProperties: false,
    },
    strict: null,
  };
}

/** What the model orders. Throws where its arguments make no order. */
export async function orderOf(
  text: string,
  { action }: ImageGenerationDefinition,
  shown: readonly ShownPicture[],
  mask: Picture | null,
): Promise<Pick<ImageOrder, 'prompt' | 'edit'>> {
  const { prompt, images } = (JSON.parse(text) ?? {}) as Record<string, unknown>;
  if (typeof prompt !== 'string' || prompt.trim() === '') {
    throw toolFailure("The parameter 'prompt' is missing.");
  }
  const numbers = action !== 'generate' && Array.isArray(images) ? [...new Set<unknown>(images)] : [];
  if (action !== 'edit' && numbers.length === 0) return { prompt, edit: null };
  return { prompt, edit: { pictures: await chosen(shown, numbers), mask } };
}

async function chosen(shown: readonly ShownPicture[], numbers: unknown[]): Promise<Picture[]> {
  if (shown.length === 0) throw toolFailure('The conversation has no image to edit.');
  if (numbers.length > mostImagesToEdit) {
    throw toolFailure(`At most ${mostImagesToEdit} images can be edited at once.`);
  }
  const pictures: Picture[] = [];
  let left = mostBytesToEdit;
  for (const number of numbers.length === 0 ? [shown.length] : numbers) {
    const found = typeof number === 'number' ? shown[number - 1] : undefined;
    if (found === undefined) {
      const called = String(number).slice(0, 20);
      throw toolFailure(`There is no image ${called}; the conversation has ${shown.length}.`);
    }
    const picture = await found.picture();
    if (picture === null) {
      throw toolFailure(`Image ${number} can't be edited: it has to be a PNG, JPEG, GIF or WebP.`);
    }
    left -= picture.content.length;
    if (left < 0) throw toolFailure('The images are too large to be edited together.');
    pictures.push(picture);
  }
  return pictures;
}
