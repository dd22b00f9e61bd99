import Type from 'typebox';
import { FormFile } from '../../kit/form.ts';
import { imageFidelity, imageModeration, imageOptions, mostImagesToEdit } from '../../kit/image-options.ts';
import { multipart, op } from '../../kit/operation.ts';
import { Maybe, OneOf } from '../../kit/schema.ts';

const Model = Type.String({ minLength: 1, description: 'Name of a model deployment.' });
const Prompt = Type.String({ minLength: 1, maxLength: 32_000 });
const Count = Maybe(Type.Integer({ minimum: 1, maximum: 10 }));
const Source = OneOf('url', 'b64_json');
const EndUser = { user: Maybe(Type.String()), safety_identifier: Maybe(Type.String()) };

/** What generations and edits have in common. */
const making = {
  model: Model,
  prompt: Prompt,
  n: Count,
  ...imageOptions,
  response_format: Maybe(Source),
  stream: Maybe(Type.Boolean()),
  ...EndUser,
};

const GenerateImage = Type.Object({
  ...making,
  moderation: imageModeration,
  style: Maybe(OneOf('vivid', 'natural')),
});

export const EditImage = Type.Object({
  ...making,
  image: Type.Union([FormFile, Type.Array(FormFile, { minItems: 1, maxItems: mostImagesToEdit })]),
  mask: Type.Optional(FormFile),
  markup: Type.Optional(FormFile),
  input_fidelity: imageFidelity,
});

export const VaryImage = Type.Object({
  model: Model,
  image: FormFile,
  n: Count,
  size: Maybe(OneOf('256x256', '512x512', '1024x1024')),
  response_format: Maybe(Source),
  user: Maybe(Type.String()),
});

const Images = Type.Object({
  created: Type.Integer(),
  data: Type.Array(
    Type.Object({
      b64_json: Type.Optional(Type.String()),
      url: Type.Optional(Type.String()),
      revised_prompt: Type.Optional(Type.String()),
    }),
  ),
  size: Type.Optional(Type.String()),
  quality: Type.Optional(Type.String()),
  background: Type.Optional(Type.String()),
  output_format: Type.Optional(Type.String()),
  usage: Type.Optional(Type.Object({ total_tokens: Type.Optional(Type.Integer()) })),
});

export const operations = {
  generate: op({
    method: 'POST',
    path: '/images/generations',
    summary: 'Generate images',
    wire: 'openai',
    body: GenerateImage,
    result: Images,
    streams: true,
  }),
  edit: op({
    method: 'POST',
    path: '/images/edits',
    summary: 'Edit images',
    wire: 'openai',
    consumes: multipart,
    body: EditImage,
    result: Images,
    streams: true,
  }),
  createVariation: op({
    method: 'POST',
    path: '/images/variations',
    summary: 'Make variations of an image',
    wire: 'openai',
    consumes: multipart,
    body: VaryImage,
    result: Images,
  }),
};
