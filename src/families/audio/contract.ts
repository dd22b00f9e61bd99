import Type from 'typebox';
import { FormFile } from '../../kit/form.ts';
import { multipart, op } from '../../kit/operation.ts';
import { Maybe, OneOf } from '../../kit/schema.ts';

const Model = Type.String({ minLength: 1, description: 'Name of a model deployment.' });
const Texts = Maybe(Type.Array(Type.String({ minLength: 1 }), { maxItems: 100 }));

const CreateSpeech = Type.Object({
  model: Model,
  input: Type.String({ minLength: 1, maxLength: 4096 }),
  voice: Type.Union([Type.String({ minLength: 1 }), Type.Object({ id: Type.String({ minLength: 1 }) })]),
  instructions: Maybe(Type.String()),
  response_format: Maybe(OneOf('mp3', 'opus', 'aac', 'flac', 'wav', 'pcm')),
  speed: Maybe(Type.Number({ minimum: 0.25, maximum: 4 })),
  stream_format: Maybe(OneOf('audio', 'sse')),
});

/** What transcriptions and translations have in common. */
const listening = {
  file: FormFile,
  model: Model,
  prompt: Maybe(Type.String()),
  temperature: Maybe(Type.Number({ minimum: 0, maximum: 1 })),
};

export const mostSpeakers = 4;

export const CreateTranscription = Type.Object({
  ...listening,
  language: Maybe(Type.String()),
  languages: Texts,
  keywords: Texts,
  response_format: Maybe(OneOf('json', 'text', 'srt', 'verbose_json', 'vtt', 'diarized_json')),
  timestamp_granularities: Maybe(Type.Array(OneOf('word', 'segment'), { maxItems: 2 })),
  include: Maybe(Type.Array(OneOf('logprobs'), { maxItems: 1 })),
  stream: Maybe(Type.Boolean()),
  chunking_strategy: Maybe(
    Type.Union([
      OneOf('auto'),
      Type.Object({
        type: Type.Literal('server_vad'),
        prefix_padding_ms: Maybe(Type.Integer({ minimum: 0 })),
        silence_duration_ms: Maybe(Type.Integer({ minimum: 0 })),
        threshold: Maybe(Type.Number({ minimum: 0, maximum: 1 })),
      }),
    ]),
  ),
  known_speaker_names: Maybe(Type.Array(Type.String({ minLength: 1 }), { maxItems: mostSpeakers })),
  known_speaker_references: Maybe(
    Type.Array(
      Type.String({ pattern: '^data:', description: 'A `data:` URL of 2 to 10 seconds of speech.' }),
      {
        maxItems: mostSpeakers,
      },
    ),
  ),
});

export const CreateTranslation = Type.Object({
  ...listening,
  response_format: Maybe(OneOf('json', 'text', 'srt', 'verbose_json', 'vtt')),
});

/** The formats beside plain `json` add to it. */
const Transcript = Type.Object({ text: Type.String() });

export const operations = {
  createSpeech: op({
    method: 'POST',
    path: '/audio/speech',
    summary: 'Turn text into speech',
    wire: 'openai',
    body: CreateSpeech,
    streams: true,
    answersBytes: true,
  }),
  createTranscription: op({
    method: 'POST',
    path: '/audio/transcriptions',
    summary: 'Transcribe speech',
    wire: 'openai',
    consumes: multipart,
    body: CreateTranscription,
    result: Transcript,
    streams: true,
    answersBytes: true,
  }),
  createTranslation: op({
    method: 'POST',
    path: '/audio/translations',
    summary: 'Translate speech into English',
    wire: 'openai',
    consumes: multipart,
    body: CreateTranslation,
    result: Transcript,
    answersBytes: true,
  }),
};
