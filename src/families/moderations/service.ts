import type { Handlers } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import { passOn } from '../../providers/models/pass-on.ts';
import type { operations } from './contract.ts';

export function moderationsService(models: ModelGateway): Handlers<typeof operations> {
  return {
    create: (ctx, { body }) =>
      passOn(models, ctx, {
        path: '/moderations',
        model: body.model,
        body,
        input: 'input',
        task: 'moderate',
        answers: ['json'],
      }),
  };
}
