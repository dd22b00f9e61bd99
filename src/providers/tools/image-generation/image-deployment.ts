import { unsupportedParameter } from '../../../errors.ts';
import type { ModelGateway } from '../../models/gateway.ts';
import type { Deployment, ModelProvider } from '../../models/model.ts';
import { forwardOf } from '../../models/pass-on.ts';

export interface ImageDeployment {
  deployment: Deployment;
  forward: NonNullable<ModelProvider['forward']>;
}

/** By this header Foundry's clients name the deployment. */
export const deploymentHeader = 'x-ms-oai-image-generation-deployment';

const task = 'make images';
const namesShown = 20;
const imageModel = /image|dall-?e|diffusion|\bsd(xl|[-_]?\d)|flux|imagen/i;

/**
 * The deployment that makes the images: the one of the header, the one that the definition names, else the only one
 * that comes into question. Throws about what names it.
 */
export function imageDeployment(
  models: ModelGateway,
  { named, header, target }: { named: string | null; header: string | undefined; target: string },
): ImageDeployment {
  const chosen = header || (named && (byModel(models, named) ?? named)) || onlyOne(models, `${target}.model`);
  const place = header ? deploymentHeader : `${target}.model`;
  const forward = forwardOf(models, { model: chosen, task, target: place });
  return { deployment: models.resolve(chosen, place).deployment, forward };
}

/** The one deployment of a model that is called by the model's own name, where no deployment has it. */
function byModel(models: ModelGateway, name: string): string | undefined {
  if (models.find(name) !== undefined) return name;
  const [only, ...more] = models.list().filter(({ modelName }) => modelName === name);
  return more.length === 0 ? only?.name : undefined;
}

function onlyOne(models: ModelGateway, target: string): string {
  const able = models.list().filter(({ name }) => models.find(name)?.provider.forward !== undefined);
  const named = able.filter(({ name, modelName }) => imageModel.test(`${name} ${modelName}`));
  const [only, ...more] = named.length === 0 ? able : named;
  if (only !== undefined && more.length === 0) return only.name;
  const names = able.slice(0, namesShown).map(({ name }) => name);
  throw unsupportedParameter(
    target,
    names.length === 0
      ? 'No deployment of this server can make images. Add one in bloomery.yaml under `deployments`, with ' +
          '`provider: openai-compatible` or `azure-openai`.'
      : `Which deployment is to make the images is not clear. Name one as 'model', or by the header ` +
          `'${deploymentHeader}': ${names.join(', ')}.`,
  );
}
