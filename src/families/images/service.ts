import { formReader } from '../../kit/form.ts';
import { mostImagesToEdit } from '../../kit/image-options.ts';
import type { Handlers } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import { passOn } from '../../providers/models/pass-on.ts';
import { EditImage, type operations, VaryImage } from './contract.ts';

/** Prompts of 32,000 characters, each of four bytes at most. */
const fieldBytes = 131_072;

/** What is to be edited, its mask and its markup. */
const readEdit = formReader(EditImage, { fieldBytes, files: mostImagesToEdit + 2 });
const readVariation = formReader(VaryImage, { fieldBytes, files: 1 });

export function imagesService(models: ModelGateway): Handlers<typeof operations> {
  return {
    generate: (ctx, { body }) =>
      passOn(models, ctx, {
        path: '/images/generations',
        model: body.model,
        body,
        input: 'prompt',
        task: 'make images',
        answers: answers(body.stream),
      }),
    edit: (ctx, { body }) =>
      readEdit(body, ({ values, data }) =>
        passOn(models, ctx, {
          path: '/images/edits',
          model: values.model,
          body: data,
          input: 'prompt',
          task: 'edit images',
          answers: answers(values.stream),
        }),
      ),
    createVariation: (ctx, { body }) =>
      readVariation(body, ({ values, data }) =>
        passOn(models, ctx, {
          path: '/images/variations',
          model: values.model,
          body: data,
          input: 'image',
          task: 'vary images',
          answers: ['json'],
        }),
      ),
  };
}

/** Servers that cannot stream answer whole, as if it had not been asked for. */
const answers = (stream: boolean | null | undefined): ('json' | 'events')[] =>
  stream ? ['events', 'json'] : ['json'];
