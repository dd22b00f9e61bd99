import Type from 'typebox';
import { Maybe, OneOf } from './schema.ts';

/** What can be asked of an image, by the API of OpenAI and by its tool alike. */
export const imageOptions = {
  size: Maybe(
    Type.String({ pattern: '^(auto|\\d{2,5}x\\d{2,5})$', description: '`auto` or `WIDTHxHEIGHT`.' }),
  ),
  quality: Maybe(OneOf('auto', 'low', 'medium', 'high', 'xhigh', 'max', 'standard', 'hd')),
  background: Maybe(OneOf('auto', 'transparent', 'opaque')),
  complexity: Maybe(OneOf('low', 'medium', 'high')),
  output_format: Maybe(OneOf('png', 'webp', 'jpeg', 'gif', 'svg')),
  output_compression: Maybe(Type.Integer({ minimum: 0, maximum: 100 })),
  frame_count: Maybe(Type.Integer({ minimum: 2, maximum: 16 })),
  frame_duration_ms: Maybe(Type.Integer({ minimum: 1 })),
  svg: Maybe(
    Type.Object({
      model: Maybe(Type.String({ description: "The author model, by the upstream's own name." })),
      reasoning: Maybe(
        Type.Object({ effort: Maybe(OneOf('none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max')) }),
      ),
    }),
  ),
  partial_images: Maybe(Type.Integer({ minimum: 0, maximum: 3 })),
};

export const imageModeration = Maybe(OneOf('low', 'auto'));
export const imageFidelity = Maybe(OneOf('high', 'low'));

export const mostImagesToEdit = 16;
