/** Who sent a request: the holder of an API key, or the subject of a token. */
export interface Principal {
  kind: 'key' | 'token';
  id: string;
  name: string;
  grants: readonly Grant[];
}

/** A role, and where it holds: in one project, or in all of them and for the server itself. */
export interface Grant {
  /** One of `roleNames`, another name of one of them, or a role of the configuration. */
  role: string;
  /** Null for everywhere. */
  project: string | null;
}

/** Azure's own names of its roles for Foundry, and one that Azure has not; `roles.ts` says what each may do. */
export const roleNames = [
  'Azure AI User',
  'Azure AI Project Manager',
  'Azure AI Account Owner',
  'Azure AI Owner',
  'Foundry Agent Consumer',
  'Cognitive Services OpenAI User',
  'Cognitive Services OpenAI Contributor',
  'Cognitive Services User',
  'Cognitive Services Contributor',
  'Cognitive Services Data Reader',
  'Azure AI Developer',
  'Reader',
  'Bloomery Impersonator',
] as const;
export type RoleName = (typeof roleNames)[number];

/** All that can be done here: what whoever started the server may do. */
export const everything: readonly Grant[] = [
  { role: 'Azure AI Owner', project: null },
  { role: 'Bloomery Impersonator', project: null },
];
