/** The report's rows about tools: name, floor, Bloomery, ratio or difference, target, verdict. */
import { signed, verdict } from './cells.ts';
import type { CodeInterpreter } from './code-interpreter.ts';
import type { HundredCalls } from './hundred-calls.ts';
import type { McpCalls } from './mcp.ts';
import type { ToolLoop } from './tool-loop.ts';

const targets = {
  turnMilliseconds: 1,
  mcpMilliseconds: 3,
  growth: 1.3,
  warmMilliseconds: 1500,
  coldMilliseconds: 6000,
};

export function toolLoopRows({ plain, loop, turns, turnMilliseconds }: ToolLoop): string[][] {
  return [
    ['response without a call, ms', '', plain.toFixed(2), '', '', ''],
    [`response with ${turns} turns of calls, ms`, '', loop.toFixed(2), '', '', ''],
    [
      'each turn of the tool loop, ms',
      '',
      turnMilliseconds.toFixed(2),
      '',
      `< ${targets.turnMilliseconds.toFixed(2)}`,
      verdict(turnMilliseconds < targets.turnMilliseconds),
    ],
  ];
}

export function mcpRows({ bare, plain, called, overhead }: McpCalls): string[][] {
  return [
    ['response without an MCP call, ms', '', plain.toFixed(2), '', '', ''],
    ['response with an MCP call, ms', '', called.toFixed(2), '', '', ''],
    [
      'MCP call, ms',
      bare.toFixed(2),
      (called - plain).toFixed(2),
      signed(overhead),
      `< ${signed(targets.mcpMilliseconds)}`,
      verdict(overhead < targets.mcpMilliseconds),
    ],
  ];
}

export function hundredCallsRows({ responses, growth }: HundredCalls): string[][] {
  return responses.map(({ calls, milliseconds }, at) => {
    const isLast = at === responses.length - 1;
    return [
      `response with ${calls} calls, ms each`,
      '',
      (milliseconds / calls).toFixed(3),
      isLast ? growth.toFixed(2) : '',
      isLast ? `<= ${targets.growth.toFixed(2)}` : '',
      isLast ? verdict(growth <= targets.growth) : '',
    ];
  });
}

export function codeInterpreterRows(measured: CodeInterpreter): string[][] {
  const row = (name: string, milliseconds: number, target: number) => [
    `code, first result ${name}, ms`,
    '',
    milliseconds.toFixed(0),
    '',
    `< ${target}`,
    verdict(milliseconds < target),
  ];
  const { idle } = measured;
  return [
    row('on fresh data', measured.coldMilliseconds, targets.coldMilliseconds),
    row('after a restart', measured.restartedMilliseconds, targets.coldMilliseconds),
    row('from a process kept ready', measured.warmMilliseconds, targets.warmMilliseconds),
    [
      `code, ${idle?.processes ?? 'unknown'} idle processes, MB`,
      '',
      idle?.megabytes.toFixed(0) ?? 'unknown',
      '',
      '',
      '',
    ],
  ];
}
