import { apiError, invalidPayload, notFound } from '../../errors.ts';
import type { AgentVersion } from './contract.ts';
import type { AgentStore } from './store.ts';

/** What other families may ask of agents: which version serves a request. */
export interface AgentDirectory {
  /** The version that `agent_reference` names; without one, the newest release. */
  byReference(project: string, name: string, version: string | null): Promise<AgentVersion>;
  /** The version that the agent's endpoint routes to: by its traffic rules, unless the call pins one. */
  byEndpoint(project: string, name: string, pinned: string | null): Promise<AgentVersion>;
}

export function agentDirectory(store: AgentStore, random: () => number = Math.random): AgentDirectory {
  const enabled = async (project: string, name: string, target: string) => {
    const agent = await store.find(project, name);
    if (agent === undefined) throw notFound('agent', name, target);
    if (agent.state === 'disabled') {
      throw apiError(
        'agent_disabled',
        `The agent '${name}' is disabled. Enable it with POST /agents/${name}:enable.`,
        { target },
      );
    }
    return agent;
  };
  const exact = async (project: string, name: string, version: string, target: string) => {
    const number = /^[1-9]\d{0,8}$/.test(version) ? Number(version) : null;
    const found = number === null ? undefined : await store.findVersion(project, name, number);
    if (found === undefined) throw notFound('agent version', `${name}:${version}`, target);
    return found;
  };
  const isLatest = (version: string | null) =>
    version === null || version === '@latest' || version === 'latest';

  return {
    async byReference(project, name, version) {
      const agent = await enabled(project, name, 'agent_reference.name');
      if (version === null || isLatest(version)) return agent.versions.latest;
      return exact(project, name, version, 'agent_reference.version');
    },

    async byEndpoint(project, name, pinned) {
      const agent = await enabled(project, name, 'agent_name');
      if (agent.agent_endpoint.protocol_configuration?.responses == null) {
        throw invalidPayload(
          'agent_endpoint.protocol_configuration',
          `The endpoint of agent '${name}' does not serve the responses protocol; add 'responses' to its protocol_configuration.`,
        );
      }
      if (pinned !== null) {
        return isLatest(pinned)
          ? agent.versions.latest
          : exact(project, name, pinned, 'x-agent-version-override');
      }
      let share = random() * 100;
      for (const rule of agent.agent_endpoint.version_selector?.version_selection_rules ?? []) {
        share -= rule.traffic_percentage;
        if (share >= 0) continue;
        if (isLatest(rule.agent_version)) break;
        return exact(project, name, rule.agent_version, 'agent_endpoint.version_selector');
      }
      return agent.versions.latest;
    },
  };
}
