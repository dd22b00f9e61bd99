import type { FastifyRequest } from 'fastify';
import { type ApiError, apiError } from '../errors.ts';
import { actionsOf, furtherActions, type OperationAction } from '../kit/data-action.ts';
import type { Operation } from '../kit/operation.ts';
import type { Grant, Principal } from '../trust/principal.ts';
import { type CustomRole, createRoles, type Role, type Roles } from '../trust/roles.ts';
import type { Exchange } from './exchange.ts';
import { upgrading } from './upgrading.ts';

export type Mount = 'native' | 'openai' | 'agent-endpoint' | 'admin';

/** An operation at one of the places where it is served, and what it asks of the caller's roles. */
export interface Asked {
  operation: Operation;
  mount: Mount;
  action: OperationAction;
  /** All that it asks, `action` first. */
  actions: readonly OperationAction[];
}

export interface Authorization {
  allows(principal: Principal, action: OperationAction, project: string | null): boolean;
  /** Throws `PermissionDenied` unless one of the caller's roles allows it there; null for the server itself. */
  require(principal: Principal, asked: Asked, project: string | null): void;
}

export function askedOf(operation: Operation, mount: Mount): Asked {
  const actions = actionsOf(operation, mount === 'agent-endpoint');
  return { operation, mount, action: actions[0] as OperationAction, actions };
}

/** The roles that hold at one place, and what they were found to allow. */
interface Holder {
  roles: Role[];
  decided: Map<OperationAction, boolean>;
}

/** Decisions are remembered as long as the grants they follow from, which are replaced, never changed. */
export function createAuthorization(custom: readonly CustomRole[]): Authorization {
  const roles = createRoles(custom);
  const holders = new WeakMap<readonly Grant[], Map<string | null, Holder>>();

  const holderOf = (grants: readonly Grant[], project: string | null): Holder => {
    let places = holders.get(grants);
    if (places === undefined) {
      places = placesOf(grants, roles);
      holders.set(grants, places);
    }
    // Of places that no grant names, all that holds is what holds everywhere.
    return places.get(project) ?? (places.get(null) as Holder);
  };

  const allows: Authorization['allows'] = ({ grants }, action, project) => {
    const { decided, roles: held } = holderOf(grants, project);
    let allowed = decided.get(action);
    if (allowed === undefined) {
      allowed = held.some((role) => role.allows(action));
      decided.set(action, allowed);
    }
    return allowed;
  };
  return {
    allows,
    require(principal, asked, project) {
      for (const action of asked.actions) {
        if (!allows(principal, action, project)) throw denied(principal, asked, action, project, roles);
      }
    },
  };
}

function placesOf(grants: readonly Grant[], roles: Roles): Map<string | null, Holder> {
  const places = new Set([null, ...grants.map(({ project }) => project)]);
  return new Map(
    [...places].map((place) => {
      const held = grants.filter(({ project }) => project === null || project === place);
      const known = held.map(({ role }) => roles.named(role)).filter((role) => role !== null);
      return [place, { roles: known, decided: new Map() }];
    }),
  );
}

/** Has to come before anything that tells whether the project exists. */
export function passAuthorization(
  request: FastifyRequest,
  authorization: Authorization,
  project: string | null,
): void {
  const { asked, opens } = request.routeOptions.config;
  if (asked === undefined) return;
  // A WebSocket is for its messages; that it is opened with GET says nothing.
  const wanted = opens !== undefined && upgrading.has(request.raw) ? opens : asked;
  const { exchange } = request;
  exchange.project = project ?? '';
  permit(exchange, authorization, wanted);
}

/** Lets a caller in who may do that, also for whom it acts; what else it may do can be asked for from then on. */
export function permit(exchange: Exchange, authorization: Authorization, asked: Asked): void {
  const { principal } = exchange;
  const project = exchange.project === '' ? null : exchange.project;
  authorization.require(principal, asked, project);
  exchange.mayAlso = (action) =>
    authorization.require(principal, { ...asked, action, actions: [action] }, project);
  if (project !== null && exchange.userIdentity !== null) exchange.requireAction(furtherActions.impersonate);
}

/** Those to suggest, the least that would do first. */
const suggested = {
  data: ['Foundry Agent Consumer', 'Azure AI User', 'Azure AI Owner'],
  server: ['Reader', 'Azure AI Project Manager', 'Azure AI Account Owner'],
};

function denied(
  principal: Principal,
  asked: Asked,
  action: OperationAction,
  project: string | null,
  roles: Roles,
): ApiError {
  const { name, isData } = action;
  const would = [...suggested[isData ? 'data' : 'server'], ...roles.all.map((role) => role.name)].find(
    (role) => roles.named(role)?.allows(action),
  );
  const where = project === null ? 'for the whole server' : `on project '${project.slice(0, 64)}'`;
  const remedy =
    would === undefined
      ? `None of Azure's roles gives it; a role of the configuration (\`roles\`) may.`
      : `The role '${would}' ${where} would give it.`;
  return apiError(
    'PermissionDenied',
    `The principal \`${principal.id}\` lacks the required ${isData ? 'data action' : 'action'} \`${name}\` to perform ` +
      `\`${placeOf(asked)}\` operation. ${remedy}`,
    { retry: false },
  );
}

const prefixes: Record<Mount, string> = {
  native: '/api/projects/{projectName}',
  openai: '/api/projects/{projectName}/openai/v1',
  'agent-endpoint': '/api/projects/{projectName}/agents/{agent_name}/endpoint/protocols/openai',
  admin: '/admin',
};

const placeOf = ({ operation: { method, path }, mount }: Asked): string =>
  `${method} ${prefixes[mount]}${path}`;
