/** What follows the actions of a resource, as its operations have it. */
import { routes } from '../client/routes.ts';
import { type Resource, type ResourceName, resources } from './resources.ts';

/** The places in the path of an action, in the words of the help. */
export function wordsOf({ family, actions }: Resource, action: string): string[] {
  if (action === 'upload') return ['PATH'];
  if (action === 'run') return ['TEXT'];
  const operations: Record<string, { path: string }> = routes[family];
  const { path = '' } = operations[actions[action] ?? ''] ?? {};
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name.toUpperCase());
}

/** For the help. */
export function actionsNote(name: ResourceName): string {
  const resource: Resource = resources[name];
  const all = Object.keys(resource.actions).map((action) => [action, ...wordsOf(resource, action)].join(' '));
  return `Actions: ${all.join(', ')}.`;
}
