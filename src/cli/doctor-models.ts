import type { Config, DeploymentConfig } from '../config.ts';
import { type Finding, fine, problem } from './finding.ts';

const patienceMilliseconds = 2000;

export interface ModelFindings {
  findings: Finding[];
  /** What the model servers say the time is, in milliseconds. */
  remoteTimes: number[];
}

/** Whether the model servers of the configuration answer at all. No key is sent. */
export async function checkModels(config: Config | null): Promise<ModelFindings> {
  const deployments = (config?.deployments ?? []).filter(({ provider }) => provider !== 'builtin');
  if (deployments.length === 0) {
    const message = 'none configured; the builtin model needs no server';
    return { findings: config === null ? [] : [fine('models', message)], remoteTimes: [] };
  }
  const results = await Promise.all(deployments.map((deployment) => check(deployment)));
  return {
    findings: results.map(({ finding }) => finding),
    remoteTimes: results.flatMap(({ remoteTime }) => remoteTime ?? []),
  };
}

async function check(deployment: DeploymentConfig): Promise<{ finding: Finding; remoteTime: number | null }> {
  const subject = `model ${deployment.name}`;
  const url = addressOf(deployment);
  if (url === null)
    return { finding: fine(subject, 'has no address of its own to look at'), remoteTime: null };
  const shown = `${url.origin}${url.pathname}`;
  try {
    const answer = await fetch(url, {
      method: 'HEAD',
      redirect: 'manual',
      signal: AbortSignal.timeout(patienceMilliseconds),
    });
    const remoteTime = Date.parse(answer.headers.get('date') ?? '');
    return {
      finding: fine(subject, `${shown} answers`),
      remoteTime: Number.isNaN(remoteTime) ? null : remoteTime,
    };
  } catch (error) {
    const fix = `Start the model server, or correct the baseUrl of the deployment '${deployment.name}'.`;
    return {
      finding: problem(subject, `${shown} does not answer: ${reasonOf(error)}`, fix),
      remoteTime: null,
    };
  }
}

function addressOf({ provider, baseUrl }: DeploymentConfig): URL | null {
  const address = baseUrl ?? (provider === 'anthropic' ? 'https://api.anthropic.com/' : null);
  return address !== null && URL.canParse(address) ? new URL(address) : null;
}

function reasonOf(error: unknown): string {
  if ((error as Error).name === 'TimeoutError') return `no answer within ${patienceMilliseconds / 1000} s`;
  const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? cause?.message ?? (error as Error).message;
}
