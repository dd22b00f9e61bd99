import type { Operation } from './operation.ts';

/** What an operation is to a role. */
export interface OperationAction {
  readonly name: string;
  /** False for what is done to the server and its projects themselves. */
  readonly isData: boolean;
}

type Place = Pick<Operation, 'wire' | 'method' | 'path' | 'action'>;

const accounts = 'Microsoft.CognitiveServices/accounts/';
const interact = 'AIServices/endpoints/interact/action';

const known = new Map<string, OperationAction>();

/** What a caller needs besides the operation's own action, by what the request says. */
export const furtherActions = {
  readFiles: remembered(`${accounts}AIServices/assets/read`, true),
  impersonate: remembered(`${accounts}AIServices/agents/endpoints/UserIdentityImpersonation/action`, true),
  /** A project that is made by its first use. */
  makeProject: remembered(`${accounts}AIServices/agents/write`, true),
} as const;

/** The action that a caller needs to be allowed, by Azure's name: the operation's own, or else by the rules below. */
export function actionOf(operation: Place, onAgentEndpoint = false): OperationAction {
  const name = onAgentEndpoint ? agentEndpointAction(operation) : (operation.action ?? ruled(operation));
  return remembered(name, operation.wire !== 'admin');
}

/** All that it needs: what is done with the whole of a project asks for its data as well. */
export function actionsOf(operation: Place & Pick<Operation, 'dataAction'>, onAgentEndpoint = false) {
  const action = actionOf(operation, onAgentEndpoint);
  return operation.dataAction === undefined ? [action] : [action, remembered(operation.dataAction, true)];
}

/** One object per action, so that decisions can be remembered by it. */
function remembered(name: string, isData: boolean): OperationAction {
  const key = `${isData} ${name}`;
  const action = known.get(key) ?? { name, isData };
  known.set(key, action);
  return action;
}

function ruled(operation: Place): string {
  if (operation.wire === 'admin') return adminAction(operation);
  const { method, path } = operation;
  const exact = exactActions.find(([methods, paths]) => methods.test(method) && paths.test(path))?.[2];
  if (exact !== undefined) return accounts + exact;
  const resource = resources[operation.wire].find(([start]) => path.startsWith(start))?.[1];
  return `${accounts}${resource ?? 'AIServices/agents'}/${verbOf(operation)}`;
}

/** POST that changes nothing. */
const readsByPost = /:(list|search_memories|estimate)$|\/(search|credentials|input_tokens|zip)$/;

function verbOf({ method, path }: Place): 'read' | 'write' | 'delete' {
  if (method === 'GET') return 'read';
  if (method === 'DELETE' || path.endsWith(':delete_scope')) return 'delete';
  return readsByPost.test(path) ? 'read' : 'write';
}

/** What is not read, written or deleted by these words in Azure. */
const exactActions: [method: RegExp, path: RegExp, action: string][] = [
  [
    /./,
    /^\/connections\/\{name\}\/getConnectionWithCredentials$/,
    'AIServices/connections/listSecrets/action',
  ],
  // Whoever may talk to an agent sees what it is told the id of; lists show what others did.
  [
    /GET/,
    /^\/agents\/\{agent_name\}\/endpoint\/(sessions|protocols\/voice\/conversations)$/,
    'AIServices/agents/read',
  ],
  [/./, /^\/agents\/\{agent_name\}\/endpoint\//, interact],
  [/POST/, /^\/chat\/completions$/, 'OpenAI/deployments/chat/completions/action'],
  [/GET/, /^\/chat\/completions/, 'OpenAI/stored-completions/read'],
  [/./, /^\/chat\/completions/, 'OpenAI/stored-completions/action'],
  [/./, /^\/completions$/, 'OpenAI/deployments/completions/action'],
  [/./, /^\/embeddings$/, 'OpenAI/deployments/embeddings/action'],
  [/./, /^\/moderations$/, 'OpenAI/deployments/moderations/action'],
  [/./, /^\/images\//, 'OpenAI/images/generations/action'],
  [/./, /^\/audio\/(speech|transcriptions|translations)$/, 'OpenAI/deployments/audio/action'],
  [/./, /^\/realtime\//, 'OpenAI/deployments/realtime/action'],
  [/POST/, /^\/videos/, 'OpenAI/video/generations/jobs/action'],
  [/./, /^\/batches\/\{batch_id\}\/cancel$/, 'OpenAI/batches/cancel/action'],
];

/** By the start of the path; what is not here belongs to agents. */
const resources: Record<'foundry' | 'openai', [start: string, resource: string][]> = {
  foundry: [
    ['/connections', 'AIServices/connections'],
    ['/deployments', 'AIServices/deployments'],
    ['/datasets', 'AIServices/assets'],
    ['/data_generation_jobs', 'AIServices/assets'],
    ['/indexes', 'AIServices/assets'],
    ['/models', 'AIServices/assets'],
    ['/evaluat', 'AIServices/evaluations'],
    ['/redTeams', 'AIServices/evaluations'],
    ['/insights', 'AIServices/evaluations'],
    ['/schedules', 'AIServices/evaluations'],
  ],
  openai: [
    ['/files', 'AIServices/assets'],
    ['/uploads', 'AIServices/assets'],
    ['/vector_stores', 'AIServices/assets'],
    ['/fine_tuning', 'AIServices/fine_tuning'],
    ['/evals', 'OpenAI/evals'],
    ['/models', 'OpenAI/models'],
    ['/audio', 'OpenAI/audio'],
    ['/videos', 'OpenAI/video/generations/jobs'],
    ['/batches', 'OpenAI/batches'],
  ],
};

/** At an agent's own address a caller needs to be let to talk to it, and no more. */
const agentEndpointAction = ({ method, path }: Place): string =>
  method === 'GET' && (path === '/responses' || path === '/conversations')
    ? `${accounts}AIServices/agents/read`
    : accounts + interact;

/** What is granted on the server itself. Anything that is not known by another name goes by its first segment. */
function adminAction({ method, path }: Place): string {
  const [, segment = ''] = path.split(/[/:]/);
  const verb = method === 'GET' ? 'read' : method === 'DELETE' ? 'delete' : 'write';
  // A copy of a whole project is more than its name.
  if (segment === 'projects') return `${accounts}projects/${/export/.test(path) ? 'write' : verb}`;
  if (/^(api[-_])?keys$/.test(segment))
    return accounts + (verb === 'read' ? 'listKeys/action' : 'regenerateKey/action');
  if (segment === 'tokens') return `${accounts}regenerateKey/action`;
  if (/^(users|apps|roles|grants|role-assignments|identities)$/.test(segment))
    return `Microsoft.Authorization/roleAssignments/${verb}`;
  return `${accounts}${segment}/${verb}`;
}
