/** The official clients, made as their documentation says: all they need comes from the environment. */
import { dirname } from 'node:path';
import { AIProjectClient } from '@azure/ai-projects';
import { DefaultAzureCredential } from '@azure/identity';
import OpenAI from 'openai';
import { createTokenIssuer, defaultAudience } from '../../../src/trust/tokens.ts';

export const endpoint = process.env.FOUNDRY_PROJECT_ENDPOINT ?? '';
export const deployment = process.env.FOUNDRY_MODEL_NAME ?? '';

export const project = new AIProjectClient(endpoint, new DefaultAzureCredential());
export const openai = project.getOpenAIClient();
/** OPENAI_BASE_URL and OPENAI_API_KEY. */
export const plainOpenAI = new OpenAI();

/** A token signed by the server that is called, which others than its owner could not get. */
export async function tokenOf({ audience = defaultAudience, lifetimeSeconds = 60 }): Promise<string> {
  const directory = dirname(dirname(process.env.NODE_EXTRA_CA_CERTS ?? ''));
  const issuer = await createTokenIssuer({ directory });
  return (await issuer.issue({ audience, lifetimeSeconds })).accessToken;
}

let count = 0;
export const freshName = (prefix: string): string => `${prefix}-${process.pid}-${++count}`;

export async function collect<T>(pages: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(pages);
}
