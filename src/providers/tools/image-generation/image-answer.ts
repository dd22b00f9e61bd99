import { frameData } from '../../models/event-frames.ts';
import { toolFailure } from '../tool-failure.ts';

/** An image as its server tells of it. */
export interface ImageAnswer {
  base64: string;
  revisedPrompt: string | null;
  /** How it was made, as far as that was told: size, quality, background and output_format. */
  told: Record<string, string>;
}

export type MadeImage =
  | { kind: 'partial'; index: number; image: ImageAnswer }
  | { kind: 'whole'; image: ImageAnswer };

const toldMembers = ['size', 'quality', 'background', 'output_format'];

/** The image of a JSON answer. */
export function imageIn(text: string): ImageAnswer {
  const value = parsed(text);
  const { data } = value as { data?: unknown };
  const [first] = Array.isArray(data) ? data : [];
  if (typeof first !== 'object' || first === null) throw noImage('there is none in it');
  const { b64_json, url, revised_prompt } = first as Record<string, unknown>;
  if (b64_json === undefined && typeof url === 'string') {
    throw noImage('it has the address of an image instead of the image (`response_format: b64_json`)');
  }
  const revisedPrompt = typeof revised_prompt === 'string' ? revised_prompt : null;
  return { base64: base64(b64_json), revisedPrompt, told: toldOf(value) };
}

/** The images of an answer in events; throws where the whole one does not come. */
export async function* readEvents(
  frames: AsyncIterable<string>,
  mostPartials: number,
): AsyncGenerator<MadeImage> {
  let partials = 0;
  for await (const frame of frames) {
    const text = frameData(frame);
    if (text === '' || text === '[DONE]') continue;
    const event = parsed(text) as Record<string, unknown>;
    const { type } = event;
    if (typeof type !== 'string') continue;
    const image = () => ({
      base64: base64(event.b64_json),
      revisedPrompt: typeof event.revised_prompt === 'string' ? event.revised_prompt : null,
      told: toldOf(event),
    });
    if (type.endsWith('.partial_image') && partials < mostPartials) {
      yield { kind: 'partial', index: partials++, image: image() };
    } else if (type.endsWith('.completed')) {
      yield { kind: 'whole', image: image() };
      return;
    }
  }
  throw noImage('it ended before the image was there');
}

function parsed(text: string): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Told like any other answer that is none.
  }
  throw noImage('it is not well-formed');
}

function base64(value: unknown): string {
  if (typeof value === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(value)) return value;
  throw noImage('the image is not in base64');
}

const toldOf = (value: object): Record<string, string> =>
  Object.fromEntries(
    toldMembers.flatMap((name) => {
      const told = (value as Record<string, unknown>)[name];
      return typeof told === 'string' && told.length <= 64 ? [[name, told]] : [];
    }),
  );

const noImage = (why: string) => toolFailure(`The answer of the image deployment is unusable: ${why}.`);
