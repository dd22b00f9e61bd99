import type { Handlers } from '../../kit/operation.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import type { Deployment } from '../../providers/models/model.ts';
import type { Model, operations } from './contract.ts';

export function modelsService(models: ModelGateway): Handlers<typeof operations> {
  // Deployments are fixed when the server starts, and nothing older is known of them.
  const created = unixSeconds();
  const wireForm = ({ name, modelPublisher }: Deployment): Model => ({
    id: name,
    object: 'model',
    created,
    owned_by: modelPublisher,
  });
  return {
    list: () => ({ object: 'list', data: models.list().map(wireForm) }),
    retrieve: (_ctx, { params }) => wireForm(models.resolve(params.model, 'model').deployment),
  };
}
