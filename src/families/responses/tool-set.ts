import { invalidPayload } from '../../errors.ts';
import { fieldValidator } from '../../kit/validation.ts';
import type { ModelTool } from '../../providers/models/model.ts';
import type {
  OpenTool,
  ReplayedCall,
  ServerTool,
  ToolCall,
  ToolContext,
  ToolFunction,
} from '../../providers/tools/tool.ts';
import type { Tool } from './request-parts.ts';

/** The tools that this server runs. */
export interface ToolRegistry {
  find(type: string): ServerTool | undefined;
  /** Throws unless the definition is one of its tool. */
  check(definition: Tool, target: string): void;
  /** What an item of any tool tells the model in later turns. */
  replay(item: Record<string, unknown>, output: Record<string, unknown> | null): ReplayedCall | null;
}

export function toolRegistry(tools: ServerTool[]): ToolRegistry {
  const byType = new Map(tools.map((tool) => [tool.type, { tool, valid: fieldValidator(tool.definition) }]));
  const byItem = new Map(tools.map((tool) => [tool.itemType, tool]));
  return {
    find: (type) => byType.get(type)?.tool,
    check(definition, target) {
      byType.get(definition.type as string)?.valid(definition, target);
    },
    replay: (item, output) => byItem.get(String(item.type))?.replay(item, output) ?? null,
  };
}

/** A server-side tool as one response uses it. */
export interface OpenedTool {
  tool: ServerTool;
  open: OpenTool;
  target: string;
}

/** A function of one, by the name that the tool has for it. */
export interface ToolBinding extends Pick<OpenedTool, 'tool' | 'open'> {
  name: string;
}

/** A call as the tool hears of it; the model may know the function by another name. */
export const asToolHears = ({ name }: ToolBinding, call: ToolCall): ToolCall => ({ ...call, name });

export interface ToolSet {
  readonly opened: readonly OpenedTool[];
  /** What the model is offered of server-side tools. */
  readonly functions: ModelTool[];
  /** By the names that the model knows. */
  readonly bindings: ReadonlyMap<string, ToolBinding>;
  /** The name by which the model knows a function, where it is offered. */
  nameOf(binding: ToolBinding): string | undefined;
  /** The same of the function whose call an item is. */
  nameOfItem(item: Record<string, unknown>): string | undefined;
  /** Takes in what tools have found out since. */
  refresh(): void;
}

/** Makes the server-side tools of a response ready. `taken` are the names of the client's own. */
export async function openTools(
  registry: ToolRegistry,
  definitions: { definition: Tool; target: string }[],
  taken: ReadonlySet<string>,
  context: Omit<ToolContext, 'target'>,
): Promise<ToolSet> {
  const opened: OpenedTool[] = [];
  const labels = new Set<string>();
  for (const { definition, target } of definitions) {
    const tool = registry.find(definition.type as string);
    if (tool === undefined) continue;
    const open = await tool.open(definition, { ...context, target });
    // Items are told apart by their type and the label.
    const label = `${tool.itemType} ${open.label}`;
    if (open.label !== undefined && labels.has(label)) {
      throw invalidPayload(
        target,
        `Two tools of type '${tool.type}' are labelled '${open.label}'; labels must differ.`,
      );
    }
    labels.add(label);
    opened.push({ tool, open, target });
  }
  return toolSet(opened, taken);
}

function toolSet(opened: OpenedTool[], taken: ReadonlySet<string>): ToolSet {
  let { names, ...offer } = nameFunctions(opened, taken);
  const nameOf = ({ open, name }: ToolBinding) => names.get(open)?.get(name);
  const set = {
    opened,
    ...offer,
    nameOf,
    nameOfItem(item: Record<string, unknown>) {
      const binding = bindingOf(opened, item);
      return binding && nameOf(binding);
    },
    refresh() {
      ({ names, ...offer } = nameFunctions(opened, taken));
      Object.assign(set, offer);
    },
  };
  return set;
}

/** For the many responses that need none. */
export const noTools: ToolSet = toolSet([], new Set());

/** The function that an item tells of, where one of the tools knows it for its own. */
export function bindingOf(
  opened: readonly OpenedTool[],
  item: Record<string, unknown>,
): ToolBinding | undefined {
  for (const { tool, open } of opened) {
    if (item.type !== tool.itemType && item.type !== 'mcp_approval_request') continue;
    const name = open.functionOf === undefined ? ownName(open, item) : open.functionOf(item);
    if (name !== undefined) return { tool, open, name };
  }
  return undefined;
}

const ownName = ({ functions }: OpenTool, item: Record<string, unknown>): string | undefined =>
  functions.find(({ name }) => name === item.name)?.name;

/** A function keeps its name where no other has it, else it takes its qualified one. */
function nameFunctions(opened: OpenedTool[], taken: ReadonlySet<string>) {
  const functions: ModelTool[] = [];
  const bindings = new Map<string, ToolBinding>();
  const names = new Map<OpenTool, Map<string, string>>();
  const all = opened.flatMap((one) => one.open.functions.map((offered) => ({ one, offered })));
  const counts = new Map<string, number>();
  for (const { offered } of all) counts.set(offered.name, (counts.get(offered.name) ?? 0) + 1);
  const used = new Set(taken);
  for (const { one, offered } of all) {
    if (offered.qualifiedName !== undefined) continue;
    if (used.has(offered.name)) {
      throw invalidPayload(one.target, `Two tools offer a function '${offered.name}'; names must differ.`);
    }
    used.add(offered.name);
  }
  for (const { one, offered } of all) {
    const name = nameFor(offered, used, counts);
    const { qualifiedName: _, ...shown } = offered;
    used.add(name);
    functions.push({ ...shown, name });
    bindings.set(name, { tool: one.tool, open: one.open, name: offered.name });
    const own = names.get(one.open) ?? new Map<string, string>();
    names.set(one.open, own.set(offered.name, name));
  }
  return { functions, bindings, names };
}

const longestName = 64;

function nameFor(
  { name, qualifiedName }: ToolFunction,
  used: ReadonlySet<string>,
  counts: ReadonlyMap<string, number>,
): string {
  if (qualifiedName === undefined || (counts.get(name) === 1 && !used.has(name))) return name;
  for (let n = 1; ; n++) {
    const suffix = n === 1 ? '' : `_${n}`;
    const candidate = qualifiedName.slice(0, longestName - suffix.length) + suffix;
    if (!used.has(candidate)) return candidate;
  }
}
