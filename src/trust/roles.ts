import { apiError, invalidPayload } from '../errors.ts';
import { type Grant, type Principal, type RoleName, roleNames } from './principal.ts';

/** What a role may do. `*` in an action stands for any text, slashes too; capitals don't matter. */
export interface RoleDefinition {
  /** Azure's id of the role; null for one that Azure has not. */
  id: string | null;
  /** Other names it goes by. */
  otherNames: readonly string[];
  /** On the server and its projects themselves. */
  actions: readonly string[];
  /** On what is in a project. */
  dataActions: readonly string[];
  notDataActions: readonly string[];
}

/** A role that the configuration brings. */
export interface CustomRole extends Pick<RoleDefinition, 'actions' | 'dataActions' | 'notDataActions'> {
  name: string;
}

/** Something to be allowed or refused. */
export interface Action {
  /** `Microsoft.CognitiveServices/accounts/AIServices/agents/read` */
  readonly name: string;
  /** Whether it is done to what is in a project, and so granted by `dataActions`. */
  readonly isData: boolean;
}

export interface Role {
  readonly name: string;
  allows(action: Action): boolean;
}

export interface Roles {
  /** All, as Azure lists them, then those of the configuration. */
  readonly all: readonly Role[];
  /** By name, other name or Azure's id; null for one that nobody knows. */
  named(name: string): Role | null;
  /** What is to be granted, by the names of `all`; refuses a role that there is not. */
  grants(wanted: readonly Grant[]): Grant[];
  /** As in Azure, an owner may give and take any role, and who else may give roles only what makes a user. */
  requireGiver(giver: Principal, given: readonly Grant[]): void;
}

const owner = 'Azure AI Owner' satisfies RoleName;
const user = 'Azure AI User' satisfies RoleName;

const everyDataAction = ['Microsoft.CognitiveServices/*'];
const accountsAndKeys = [
  'Microsoft.CognitiveServices/*/read',
  'Microsoft.CognitiveServices/accounts/listkeys/action',
  'Microsoft.CognitiveServices/accounts/projects/connections/listsecrets/action',
];
const impersonation =
  'Microsoft.CognitiveServices/accounts/AIServices/agents/endpoints/UserIdentityImpersonation/action';
const notForUsers = [
  impersonation,
  'Microsoft.CognitiveServices/accounts/OpenAI/fine-tunes-deployments/write',
  'Microsoft.CognitiveServices/accounts/AIServices/fine_tuning_deployments/write',
];
const none: readonly string[] = [];

/**
 * Azure's definitions, less what concerns other services. Where Azure lets a role assign certain roles only, it may
 * assign none here, but for the owners, who make keys anyway.
 */
export const roleDefinitions: Readonly<Record<RoleName, RoleDefinition>> = {
  'Azure AI User': {
    id: '53ca6127-db72-4b80-b1b0-d745d6d5456d',
    otherNames: ['Foundry User'],
    actions: ['Microsoft.Authorization/*/read', ...accountsAndKeys],
    dataActions: everyDataAction,
    notDataActions: notForUsers,
  },
  'Azure AI Project Manager': {
    id: 'eadc314b-1a2d-4efa-be10-5d325db5065e',
    otherNames: ['Foundry Project Manager'],
    actions: [
      'Microsoft.Authorization/*/read',
      'Microsoft.CognitiveServices/accounts/*/read',
      'Microsoft.CognitiveServices/accounts/projects/*',
      'Microsoft.CognitiveServices/locations/*/read',
    ],
    dataActions: everyDataAction,
    notDataActions: notForUsers,
  },
  'Azure AI Account Owner': {
    id: 'e47c6f54-e4a2-4754-9501-8e0985b135e1',
    otherNames: ['Foundry Account Owner'],
    actions: [
      'Microsoft.Authorization/*/read',
      'Microsoft.Authorization/roleAssignments/write',
      'Microsoft.Authorization/roleAssignments/delete',
      'Microsoft.CognitiveServices/*',
    ],
    dataActions: none,
    notDataActions: none,
  },
  'Azure AI Owner': {
    id: 'c883944f-8b7b-4483-af10-35834be79c4a',
    otherNames: ['Foundry Owner'],
    actions: [
      'Microsoft.Authorization/*/read',
      'Microsoft.Authorization/roleAssignments/write',
      'Microsoft.Authorization/roleAssignments/delete',
      'Microsoft.CognitiveServices/*',
    ],
    dataActions: everyDataAction,
    notDataActions: [impersonation],
  },
  'Foundry Agent Consumer': {
    id: 'eed3b665-ab3a-47b6-8f48-c9382fb1dad6',
    otherNames: ['Azure AI Agent Consumer'],
    actions: none,
    dataActions: ['Microsoft.CognitiveServices/accounts/AIServices/endpoints/interact/action'],
    notDataActions: none,
  },
  'Cognitive Services OpenAI User': {
    id: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd',
    otherNames: [],
    actions: [
      'Microsoft.Authorization/roleAssignments/read',
      'Microsoft.Authorization/roleDefinitions/read',
      'Microsoft.CognitiveServices/*/read',
    ],
    dataActions: [
      'Microsoft.CognitiveServices/accounts/OpenAI/*/read',
      'Microsoft.CognitiveServices/accounts/OpenAI/engines/completions/action',
      'Microsoft.CognitiveServices/accounts/OpenAI/engines/search/action',
      'Microsoft.CognitiveServices/accounts/OpenAI/engines/generate/action',
      'Microsoft.CognitiveServices/accounts/OpenAI/deployments/audio/action',
      'Microsoft.CognitiveServices/accounts/OpenAI/deployments/search/action',
      'Microsoft.CognitiveServices/accounts/OpenAI/deployments/completions/action',
      'Microsoft.CognitiveServices/accounts/OpenAI/deployments/chat/completions/action',
      'Microsoft.CognitiveServices/accounts/OpenAI/deployments/realtime/action',
      'Microsoft.CognitiveServices/accounts/OpenAI/deployments/extensions/chat/completions/action',
      'Microsoft.CognitiveServices/accounts/OpenAI/deployments/embeddings/action',
      'Microsoft.CognitiveServices/accounts/OpenAI/images/generations/action',
      'Microsoft.CognitiveServices/accounts/OpenAI/video/generations/*/action',
      'Microsoft.CognitiveServices/accounts/OpenAI/video/generations/*/delete',
      'Microsoft.CognitiveServices/accounts/OpenAI/assistants/*',
      'Microsoft.CognitiveServices/accounts/OpenAI/responses/*',
    ],
    notDataActions: ['Microsoft.CognitiveServices/accounts/OpenAI/stored-completions/read'],
  },
  'Cognitive Services OpenAI Contributor': {
    id: 'a001fd3d-188f-4b5d-821b-7da978bf7442',
    otherNames: [],
    actions: [
      'Microsoft.Authorization/roleAssignments/read',
      'Microsoft.Authorization/roleDefinitions/read',
      'Microsoft.CognitiveServices/*/read',
      'Microsoft.CognitiveServices/accounts/deployments/write',
      'Microsoft.CognitiveServices/accounts/deployments/delete',
    ],
    dataActions: ['Microsoft.CognitiveServices/accounts/OpenAI/*'],
    notDataActions: none,
  },
  'Cognitive Services User': {
    id: 'a97b65f3-24c7-4388-baec-2e87135dc908',
    otherNames: [],
    actions: accountsAndKeys,
    dataActions: everyDataAction,
    notDataActions: notForUsers,
  },
  'Cognitive Services Contributor': {
    id: '25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68',
    otherNames: [],
    actions: ['Microsoft.Authorization/*/read', 'Microsoft.CognitiveServices/*'],
    dataActions: none,
    notDataActions: none,
  },
  'Cognitive Services Data Reader': {
    id: 'b59867f0-fa02-499b-be73-45a86b5b3e1c',
    otherNames: [],
    actions: none,
    dataActions: ['Microsoft.CognitiveServices/*/read'],
    notDataActions: none,
  },
  'Azure AI Developer': {
    id: '64702f94-c441-49e6-a78b-ef80e0188fee',
    otherNames: [],
    actions: ['Microsoft.Authorization/*/read'],
    dataActions: ['Microsoft.CognitiveServices/accounts/OpenAI/*'],
    notDataActions: ['Microsoft.CognitiveServices/accounts/OpenAI/fine-tunes-deployments/write'],
  },
  Reader: {
    id: 'acdd72a7-3385-48ef-bd42-f606fba81ae7',
    otherNames: [],
    actions: ['*/read'],
    dataActions: none,
    notDataActions: none,
  },
  // In Azure it takes a role of one's own to act for users.
  'Bloomery Impersonator': {
    id: null,
    otherNames: [],
    actions: none,
    dataActions: [impersonation],
    notDataActions: none,
  },
};

/** Azure's roles and those of the configuration, ready to be asked. */
export function createRoles(custom: readonly CustomRole[] = []): Roles {
  const all: Role[] = [];
  const known = new Map<string, Role>();
  const add = (name: string, definition: RoleDefinition): void => {
    const role = roleOf(name, definition);
    all.push(role);
    for (const key of [name, definition.id, ...definition.otherNames]) {
      if (key === null) continue;
      if (known.has(key.toLowerCase())) {
        throw new Error(`roles: '${name}' is the name of another role. Give yours a name of its own.`);
      }
      known.set(key.toLowerCase(), role);
    }
  };
  for (const name of roleNames) add(name, roleDefinitions[name]);
  for (const role of custom) add(role.name, { ...role, id: null, otherNames: [] });
  const named = (name: string): Role | null => known.get(name.toLowerCase()) ?? null;
  return {
    all,
    named,
    grants: (wanted) =>
      wanted.map(({ role, project }, at) => {
        const found = named(role);
        if (found !== null) return { role: found.name, project };
        throw invalidPayload(
          `grants[${at}].role`,
          `There is no role '${role}'. Roles are ${all.map(({ name }) => name).join(', ')}.`,
        );
      }),
    requireGiver(giver, given) {
      const mayGiveAny = giver.grants.some(
        ({ role, project }) => project === null && named(role)?.name === owner,
      );
      if (mayGiveAny || given.every(({ role }) => named(role)?.name === user)) return;
      throw apiError(
        'PermissionDenied',
        `Only an '${owner}' of the server may give or take other roles than '${user}'.`,
        { target: 'grants' },
      );
    },
  };
}

function roleOf(name: string, { actions, dataActions, notDataActions }: RoleDefinition): Role {
  const control = matcher(actions);
  const data = matcher(dataActions);
  const notData = matcher(notDataActions);
  return {
    name,
    allows: ({ name: action, isData }) => (isData ? data(action) && !notData(action) : control(action)),
  };
}

function matcher(patterns: readonly string[]): (action: string) => boolean {
  const expressions = patterns.map((pattern) => {
    const parts = pattern.split('*').map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`, 'i');
  });
  return (action) => expressions.some((expression) => expression.test(action));
}
