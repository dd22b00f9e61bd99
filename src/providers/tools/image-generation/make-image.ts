import { imageOptions } from '../../../kit/image-options.ts';
import { extensionOf } from '../../../kit/media-type.ts';
import type { ModelCaller } from '../../models/caller.ts';
import type { AnswerKind, ForwardRequest } from '../../models/model.ts';
import { toolFailure } from '../tool-failure.ts';
import type { ImageGenerationDefinition } from './definition.ts';
import { imageIn, type MadeImage, readEvents } from './image-answer.ts';
import type { ImageDeployment } from './image-deployment.ts';
import type { Picture } from './pictures.ts';

/** Base64 characters of one image; of JSON around it, little. */
export const longestImage = 67_108_864;
const mostBytes = longestImage + 65_536;

export interface ImageOrder {
  prompt: string;
  definition: ImageGenerationDefinition;
  /** What is to be edited; null to make an image from nothing. */
  edit: { pictures: Picture[]; mask: Picture | null } | null;
  /** How many unfinished images are wanted on the way. */
  partials: number;
}

/** Has an image made by a deployment's server. Unfinished ones come first, where they are wanted and the server has them. */
export async function* makeImage(
  { deployment, forward, caller }: ImageDeployment & { caller: ModelCaller },
  order: ImageOrder,
  signal: AbortSignal,
): AsyncGenerator<MadeImage> {
  const { edit, partials } = order;
  const fields = {
    prompt: order.prompt,
    ...options(order),
    ...(wantsBase64Asked(deployment) ? { response_format: 'b64_json' } : {}),
    ...(partials > 0 ? { stream: true, partial_images: partials } : {}),
  };
  const answers: AnswerKind[] = partials > 0 ? ['events', 'json'] : ['json'];
  const request: ForwardRequest = {
    path: edit === null ? '/images/generations' : '/images/edits',
    body: edit === null ? fields : editForm(fields, edit),
    input: 'prompt',
    answers,
    mostBytes,
  };
  const answer = await forward(request, signal, caller);
  if (answer.kind === 'events') yield* readEvents(answer.frames, partials);
  else if (answer.kind === 'json') yield { kind: 'whole', image: imageIn(answer.text) };
  else throw toolFailure(`Deployment '${deployment.name}' answered with something that is no image.`);
}

const { partial_images: _, ...passedOn } = imageOptions;

/** What the definition asks for, as it is; `auto` and what edits alone take stay out where they mean nothing. */
function options({ definition, edit }: ImageOrder): Record<string, unknown> {
  const { input_fidelity, moderation, ...rest } = definition;
  const all = {
    ...Object.fromEntries(Object.entries(rest).filter(([name]) => Object.hasOwn(passedOn, name))),
    ...(moderation === 'auto' ? {} : { moderation }),
    ...(edit === null ? {} : { input_fidelity }),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined && value !== null));
}

/** OpenAI's newer models always answer with the image itself and refuse the question; most others have to be asked. */
const wantsBase64Asked = ({ modelName, modelPublisher }: ImageDeployment['deployment']): boolean =>
  /dall-?e/i.test(modelName) || (modelPublisher !== 'OpenAI' && !/gpt-image/i.test(modelName));

function editForm(
  fields: Record<string, unknown>,
  { pictures, mask }: NonNullable<ImageOrder['edit']>,
): FormData {
  const form = new FormData();
  for (const [name, value] of flat(fields)) form.append(name, value);
  const field = pictures.length === 1 ? 'image' : 'image[]';
  for (const [i, picture] of pictures.entries()) form.append(field, fileOf(picture, `image-${i + 1}`));
  if (mask !== null) form.append('mask', fileOf(mask, 'mask'));
  return form;
}

const fileOf = ({ content, mediaType }: Picture, name: string): File =>
  new File([content], `${name}.${extensionOf(mediaType)}`, { type: mediaType });

/** Forms know no objects; their members have names such as `svg[model]`. */
const flat = (fields: Record<string, unknown>, within = ''): [string, string][] =>
  Object.entries(fields).flatMap(([key, value]) => {
    const name = within === '' ? key : `${within}[${key}]`;
    return typeof value === 'object' && value !== null
      ? flat(value as Record<string, unknown>, name)
      : [[name, String(value)] as [string, string]];
  });
