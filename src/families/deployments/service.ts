import { azurePage } from '../../kit/azure-page.ts';
import type { Handlers } from '../../kit/operation.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import type { Deployment } from '../../providers/models/model.ts';
import type { ModelDeployment, operations } from './contract.ts';

const mostPerPage = 100;

export function deploymentsService(models: ModelGateway): Handlers<typeof operations> {
  return {
    list(ctx, { query }) {
      const { modelPublisher, modelName, top, skip = 0, maxpagesize = mostPerPage } = query;
      const wanted = models
        .list()
        .filter((found) => modelPublisher === undefined || found.modelPublisher === modelPublisher)
        .filter((found) => modelName === undefined || found.modelName === modelName)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
        .slice(skip, top === undefined ? undefined : skip + top);
      const elements = wanted.map((found) => ({ key: found.name, value: wireForm(found) }));
      return azurePage(ctx, '/deployments', query, elements, Math.min(maxpagesize, mostPerPage));
    },

    get: (_ctx, { params }) => wireForm(models.resolve(params.name, 'name').deployment),
  };
}

function wireForm(deployment: Deployment): ModelDeployment {
  const { provider, connectionName, ...model } = deployment;
  return {
    type: 'ModelDeployment',
    ...model,
    // Clients need the member; nothing is rationed here, so it says no more than the kind of provider.
    sku: { name: 'Standard', capacity: 1, family: provider, size: '', tier: 'Standard' },
    ...(connectionName === null ? {} : { connectionName }),
  };
}
