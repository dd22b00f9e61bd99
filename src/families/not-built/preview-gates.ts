/**
 * Native operations in preview, by the start of their path, with the `Foundry-Features` key they need. Only what the
 * SDKs send the key for by themselves: a gate that they cannot pass would shut their callers out.
 */
const gates: [start: string, key: string][] = [
  ['/memory_stores', 'MemoryStores=V1Preview'],
  ['/skills', 'Skills=V1Preview'],
  ['/routines', 'Routines=V2Preview'],
  ['/schedules', 'Schedules=V1Preview'],
  ['/insights', 'Insights=V1Preview'],
  ['/agent_insight_monitors', 'AgentInsights=V1Preview'],
  ['/redTeams', 'RedTeams=V1Preview'],
  ['/evaluationtaxonomies', 'Evaluations=V1Preview'],
  ['/models', 'Models=V1Preview'],
  ['/data_generation_jobs', 'DataGenerationJobs=V1Preview'],
  ['/agents:generate', 'VoiceAgents=V1Preview'],
  ['/agents/{agent_name}/endpoint/protocols/voice', 'VoiceAgents=V1Preview'],
];

/** The key that a native operation as a whole needs, by its path. */
export const previewGate = (path: string): string | null =>
  gates.find(
    ([start]) => path === start || (path.startsWith(start) && '/:'.includes(path.charAt(start.length))),
  )?.[1] ?? null;
