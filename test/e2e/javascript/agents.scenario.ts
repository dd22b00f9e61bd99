import { describe, expect, test } from 'vitest';
import { collect, deployment, freshName, openai, project } from './clients.ts';

const prompt = (instructions: string) => ({ kind: 'prompt' as const, model: deployment, instructions });

describe('agents', () => {
  test('are created, updated when they change, listed by version and deleted', async () => {
    const name = freshName('crud');
    const agent = await project.agents.create(name, prompt('One.'), {
      description: 'An agent.',
      metadata: { team: 'a' },
    });
    expect(agent).toMatchObject({
      object: 'agent',
      id: name,
      name,
      versions: { latest: { version: '1', description: 'An agent.', metadata: { team: 'a' } } },
    });
    const same = await project.agents.update(name, prompt('One.'));
    expect(same.versions.latest.version).toBe('1');
    const changed = await project.agents.update(name, prompt('Two.'));
    expect(changed.versions.latest.version).toBe('2');
    const always = await project.agents.createVersion(name, prompt('Two.'));
    expect(always.version).toBe('3');

    const versions = await collect(project.agents.listVersions(name, { order: 'asc' }));
    expect(versions.map(({ version }) => version)).toEqual(['1', '2', '3']);
    expect(await project.agents.getVersion(name, '2')).toMatchObject({
      definition: { instructions: 'Two.' },
    });
    await project.agents.deleteVersion(name, '3');
    expect((await project.agents.get(name)).versions.latest.version).toBe('2');
    expect(await project.agents.delete(name)).toMatchObject({ name, deleted: true });
    await expect(project.agents.get(name)).rejects.toMatchObject({ statusCode: 404 });
  });

  test('are disabled and enabled', async () => {
    const name = freshName('switch');
    await project.agents.createVersion(name, prompt('Be brief.'));
    await project.agents.disable(name);
    expect(await project.agents.get(name)).toMatchObject({ state: 'disabled' });
    const ask = () =>
      openai.responses.create(
        { input: 'Hi' },
        { body: { agent_reference: { type: 'agent_reference', name } } },
      );
    await expect(ask()).rejects.toMatchObject({ status: 403, code: 'agent_disabled' });
    await project.agents.enable(name);
    expect((await ask()).status).toBe('completed');
    await project.agents.delete(name);
  });

  test('have an endpoint whose traffic is split between versions', async () => {
    const name = freshName('traffic');
    await project.agents.createVersion(name, prompt('Reply with exactly: alpha'));
    await project.agents.createVersion(name, prompt('Reply with exactly: beta'));
    const patched = await project.agents.patchAgentObject(name, {
      agentEndpoint: {
        version_selector: {
          version_selection_rules: [{ type: 'FixedRatio', agent_version: '1', traffic_percentage: 100 }],
        },
      },
    });
    expect(patched.agent_endpoint).toMatchObject({
      version_selector: { version_selection_rules: [{ agent_version: '1', traffic_percentage: 100 }] },
    });
    const client = project.getOpenAIClient({ azureConfig: { agentName: name, allowPreview: true } });
    expect((await client.responses.create({ input: 'Which?' })).output_text).toBe('alpha');
    await project.agents.delete(name);
  });

  test('250 of them are paged through, each once, while others come and go', {
    timeout: 120_000,
  }, async () => {
    const prefix = freshName('page');
    const names = Array.from({ length: 250 }, (_, i) => `${prefix}-${i}`);
    for (const name of names) await project.agents.createVersion(name, prompt('Be brief.'));
    const seen: string[] = [];
    for await (const { name } of project.agents.list({ limit: 20, order: 'asc' })) {
      if (!name.startsWith(`${prefix}-`)) continue;
      seen.push(name);
      // The element that the next page's cursor may name goes, and another comes at the end.
      if (seen.length % 20 === 0) await project.agents.delete(name);
    }
    expect(seen).toEqual(names);
    const left = await collect(project.agents.list({ limit: 100 }));
    expect(left.filter(({ name }) => name.startsWith(`${prefix}-`)).length).toBe(250 - 12);
    for (const { name } of left) if (name.startsWith(`${prefix}-`)) await project.agents.delete(name);
  });
});

test('deployments are listed and filtered', async () => {
  const all = await collect(project.deployments.list());
  expect(all).toMatchObject([{ name: 'builtin', type: 'ModelDeployment', modelPublisher: 'Bloomery' }]);
  expect(await project.deployments.get('builtin')).toEqual(all[0]);
  expect(await collect(project.deployments.list({ modelPublisher: 'Nobody' }))).toEqual([]);
  await expect(project.deployments.get('none')).rejects.toMatchObject({ statusCode: 404 });
});
