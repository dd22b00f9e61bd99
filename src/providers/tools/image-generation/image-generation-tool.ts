import { extensionOf, imageType } from '../../../kit/media-type.ts';
import { patientCaller } from '../../models/caller.ts';
import type { ModelGateway } from '../../models/gateway.ts';
import type { OpenTool, ServerTool, ToolContext, ToolEvent } from '../tool.ts';
import { toolFailure } from '../tool-failure.ts';
import { ImageGenerationDefinition, readMask } from './definition.ts';
import type { ImageAnswer } from './image-answer.ts';
import { deploymentHeader, imageDeployment } from './image-deployment.ts';
import { functionName, offeredFunction, orderOf } from './image-order.ts';
import { type ImageOrder, longestImage, makeImage } from './make-image.ts';
import { shownPictures } from './pictures.ts';

export interface ImageGenerationParts {
  models: ModelGateway;
}

const itemType = 'image_generation_call';
/** Base64 characters of all that the calls of one response bring: they are kept in its log. */
const mostCharacters = 2 * longestImage;

/** `image_generation`: images made by a deployment whose server can. */
export function imageGenerationTool({ models }: ImageGenerationParts): ServerTool {
  return {
    type: 'image_generation',
    definition: ImageGenerationDefinition,
    itemType,
    idempotent: true,
    timeoutSeconds: 300,
    headers: [deploymentHeader],
    open: (definition, context) => open(models, definition as ImageGenerationDefinition, context),
    replay: ({ revised_prompt: prompt, action, status }) => ({
      name: functionName,
      arguments: JSON.stringify({ prompt: typeof prompt === 'string' ? prompt : '' }),
      output:
        status === 'failed'
          ? 'The call failed: no image was made.'
          : `An image was ${action === 'edit' ? 'edited' : 'made'} and shown to the user.`,
    }),
  };
}

async function open(
  models: ModelGateway,
  definition: ImageGenerationDefinition,
  context: ToolContext,
): Promise<OpenTool> {
  const { target, headers } = context;
  const deployment = imageDeployment(models, {
    named: definition.model ?? null,
    header: headers[deploymentHeader],
    target,
  });
  const mask = await readMask(definition, context);
  const partials = context.stream ? (definition.partial_images ?? 0) : 0;
  const shown = shownPictures([...context.context, ...context.output], context.image);
  let left = mostCharacters - charactersOf(context.output);
  const take = ({ base64 }: ImageAnswer): string => {
    left -= base64.length;
    if (left < 0) throw toolFailure('The images of this response are too large to be kept together.');
    return base64;
  };
  return {
    functions: [offeredFunction(definition)],
    functionOf: () => functionName,
    needsApproval: () => false,
    phases: {
      started: 'response.image_generation_call.in_progress',
      completed: 'response.image_generation_call.completed',
    },
    fields: () => ({ result: null }),
    async *run(call, signal) {
      const { prompt, edit } = await orderOf(call.arguments, definition, shown, mask);
      yield 'response.image_generation_call.generating';
      for await (const made of makeImage(
        { ...deployment, caller: patientCaller(context.project, context.key) },
        { prompt, definition, edit, partials },
        signal,
      )) {
        const { image } = made;
        const base64 = take(image);
        if (made.kind === 'partial') {
          yield partialEvent(made.index, base64, image);
          continue;
        }
        shown.push(...shownPictures([{ type: itemType, result: base64 }], context.image));
        const fields = fieldsOf(image, { prompt, edit, definition });
        return { fields, output: toldOutput(fields) };
      }
      throw toolFailure('No image came.');
    },
  };
}

const partialEvent = (
  partial_image_index: number,
  partial_image_b64: string,
  { told }: ImageAnswer,
): ToolEvent => ({
  type: 'response.image_generation_call.partial_image',
  partial_image_index,
  partial_image_b64,
  ...told,
});

function fieldsOf(
  { base64, revisedPrompt, told }: ImageAnswer,
  { prompt, edit, definition }: Pick<ImageOrder, 'prompt' | 'edit' | 'definition'>,
) {
  const { size, quality, background, output_format } = definition;
  // Servers that do not say what they made have been told what to make.
  const asked = Object.entries({ size, quality, background, output_format }).filter(
    ([, value]) => value !== undefined && value !== null && value !== 'auto',
  );
  const seen = imageType(Buffer.from(base64.slice(0, 64), 'base64'));
  return {
    result: base64,
    revised_prompt: revisedPrompt ?? prompt,
    action: edit === null ? 'generate' : 'edit',
    ...(Object.fromEntries(asked) as { size?: string; output_format?: string }),
    ...told,
    ...(seen === null ? {} : { output_format: extensionOf(seen) }),
  };
}

function toldOutput({ action, size, output_format }: ReturnType<typeof fieldsOf>): string {
  const made = action === 'edit' ? 'edited' : 'made';
  const how = [size, output_format].filter((member) => member !== undefined).join(', ');
  return `The image is ${made}${how === '' ? '' : ` (${how})`}, and the user sees it.`;
}

const charactersOf = (output: ToolContext['output']): number =>
  output.reduce(
    (sum, { type, result }) => sum + (type === itemType && typeof result === 'string' ? result.length : 0),
    0,
  );
