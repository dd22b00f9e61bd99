import { formReader } from '../../kit/form.ts';
import type { Handlers } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import { passOn } from '../../providers/models/pass-on.ts';
import { CreateTranscription, CreateTranslation, type operations } from './contract.ts';

/** Ten seconds of a known speaker, uncompressed, as a `data:` URL. */
const speakerBytes = 4_194_304;
const promptBytes = 131_072;

const readTranscription = formReader(CreateTranscription, { fieldBytes: speakerBytes, files: 1 });
const readTranslation = formReader(CreateTranslation, { fieldBytes: promptBytes, files: 1 });

export function audioService(models: ModelGateway): Handlers<typeof operations> {
  return {
    createSpeech: (ctx, { body }) =>
      passOn(models, ctx, {
        path: '/audio/speech',
        model: body.model,
        body,
        input: 'input',
        task: 'speak',
        // Servers that cannot stream events answer with audio all the same.
        answers: body.stream_format === 'sse' ? ['events', 'audio'] : ['audio'],
      }),
    createTranscription: (ctx, { body }) =>
      readTranscription(body, ({ values, data }) =>
        passOn(models, ctx, {
          path: '/audio/transcriptions',
          model: values.model,
          body: data,
          input: 'file',
          task: 'transcribe speech',
          answers: values.stream ? ['events', 'json', 'text'] : ['json', 'text'],
        }),
      ),
    createTranslation: (ctx, { body }) =>
      readTranslation(body, ({ values, data }) =>
        passOn(models, ctx, {
          path: '/audio/translations',
          model: values.model,
          body: data,
          input: 'file',
          task: 'translate speech',
          answers: ['json', 'text'],
        }),
      ),
  };
}
