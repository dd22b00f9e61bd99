import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OpenFamilies, openFamilies } from '../../scripts/open-families.ts';
import { rolesPage, rolesPageFile } from '../../scripts/roles-page.ts';
import { type ContractRow, contractRows, rowLine } from '../../src/families/not-built/contract-rows.ts';
import { coverageOf } from '../../src/families/not-built/coverage.ts';
import { notBuiltName } from '../../src/families/not-built/index.ts';
import { actionOf } from '../../src/kit/data-action.ts';
import { Answer, type Family, type Operation, op } from '../../src/kit/operation.ts';
import { roleNames } from '../../src/trust/principal.ts';
import { type ContractApp, contractApp } from './contract-app.ts';

const page = readFileSync(rolesPageFile, 'utf8');

const columns = [...page.matchAll(/^\| Column .*\n.*\n((?:\|.*\n)+)/gm)].flatMap(([, rows = '']) =>
  rows
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, column = '', role = '']) => ({ column, role })),
);

interface PageRow {
  /** `GET /agents`, after `protocols/openai` where it is served at the address of an agent. */
  place: string;
  action: string;
  allowed: Set<string>;
}

/** What the page says, operation by operation. */
function pageRows(): PageRow[] {
  const rows: PageRow[] = [];
  let head: string[] = [];
  let prefix = '';
  for (const line of page.split('\n')) {
    if (line.startsWith('## ')) prefix = line.includes('address of an agent') ? 'agent ' : '';
    const cells = line.split('|').map((cell) => cell.trim());
    if (cells[1] === 'Operation') head = cells;
    else if (cells[2]?.startsWith('`') && cells[3]?.startsWith('`')) {
      const [, , place = '', action = ''] = cells.map((cell) => cell.replaceAll('`', ''));
      const ticked = head.filter((_, at) => cells[at] === '✓');
      rows.push({
        place: prefix + place,
        action: action.startsWith('Microsoft') ? action : `Microsoft.CognitiveServices/accounts/${action}`,
        allowed: new Set(columns.filter(({ column }) => ticked.includes(column)).map(({ role }) => role)),
      });
    }
  }
  return rows;
}

const documented = new Map(pageRows().map((row) => [row.place, row]));
const keys = Object.fromEntries(roleNames.map((role, at) => [`key-${at}`, [{ role, project: 'default' }]]));

/** Nothing is done, so that what is found is the gate alone. */
const idle = (families: Family[]): Family[] =>
  families.map(({ name, operations }) => ({
    name,
    operations: Object.fromEntries(
      Object.entries(operations).map(([key, { body, query, params, ...one }]) => [key, one]),
    ),
    handlers: Object.fromEntries(
      Object.keys(operations).map((key) => [key, () => new Answer(204, undefined)]),
    ),
  }));

test('the page has a column for each role, and a row for each operation', () => {
  expect(columns.map(({ role }) => role)).toEqual([...roleNames]);
  expect(contractRows().filter((row) => !documented.has(rowLine(row)))).toEqual([]);
  expect(contractRows().length).toBeGreaterThan(300);
});

describe('as checked in', () => {
  let opened: OpenFamilies;
  beforeAll(async () => {
    opened = await openFamilies();
  });
  afterAll(() => opened.close());

  test('docs/roles.md is up to date; `node scripts/coverage.ts` writes it', () => {
    const coverage = coverageOf(opened.families.filter(({ name }) => name !== notBuiltName));
    expect(page).toBe(rolesPage(coverage, opened.families));
  });
});

let app: ContractApp;
beforeAll(async () => {
  app = await contractApp(idle, keys);
});
afterAll(() => app.close());

describe.each(roleNames.map((role, at) => ({ role, key: `key-${at}` })))('$role', ({ role, key }) => {
  const verdict = async (row: ContractRow, place: string, base?: string) => {
    const given = { headers: { 'api-key': key }, ...(base === undefined ? {} : { base }) };
    const { status, error } = await app.call(row, given);
    const expected = documented.get(place);
    if (expected?.allowed.has(role)) return status < 300 ? null : `${place}: ${status} ${error?.message}`;
    const isAsItShould =
      status === 403 &&
      error?.code === 'PermissionDenied' &&
      error.message.includes(`\`${expected?.action}\``);
    return isAsItShould ? null : `${place}: ${status} ${error?.message}`;
  };

  test('may do what the page says, and nothing else', async () => {
    const wrong = [];
    for (const row of contractRows()) wrong.push(await verdict(row, rowLine(row)));
    expect(wrong.filter((one) => one !== null)).toEqual([]);
  });

  test('may do at the address of an agent what the page says, and nothing else', async () => {
    const wrong = [];
    const places = [...documented.keys()].filter((place) => place.startsWith('agent '));
    expect(places.length).toBeGreaterThan(10);
    for (const place of places) {
      const [, method, path] = place.split(' ');
      const row = contractRows().find(
        (one) => one.wire === 'openai' && one.method === method && one.path === path,
      );
      const base = '/agents/some-agent/endpoint/protocols/openai';
      if (row !== undefined) wrong.push(await verdict(row, place, base));
    }
    expect(wrong.filter((one) => one !== null)).toEqual([]);
  });
});

/** The cells that somebody would be hurt by, told apart from the rules that fill them. */
describe('the page says', () => {
  const who = (place: string) => [...(documented.get(place)?.allowed ?? [])];
  const builders = ['Azure AI User', 'Azure AI Project Manager', 'Azure AI Owner', 'Cognitive Services User'];
  const openAiToo = [
    'Cognitive Services OpenAI User',
    'Cognitive Services OpenAI Contributor',
    'Azure AI Developer',
  ];

  test.each([
    ['POST /agents', 'AIServices/agents/write', builders],
    ['DELETE /agents/{agent_name}', 'AIServices/agents/delete', builders],
    ['GET /agents', 'AIServices/agents/read', [...builders, 'Cognitive Services Data Reader']],
    ['POST /openai/v1/responses', 'AIServices/agents/write', builders],
    ['DELETE /openai/v1/conversations/{conversation_id}', 'AIServices/agents/delete', builders],
    [
      'POST /connections/{name}/getConnectionWithCredentials',
      'AIServices/connections/listSecrets/action',
      builders,
    ],
    ['GET /connections', 'AIServices/connections/read', [...builders, 'Cognitive Services Data Reader']],
    [
      'POST /datasets/{name}/versions/{version}/credentials',
      'AIServices/assets/read',
      [...builders, 'Cognitive Services Data Reader'],
    ],
    ['POST /datasets/{name}/versions/{version}/startPendingUpload', 'AIServices/assets/write', builders],
    ['POST /memory_stores/{name}:delete_scope', 'AIServices/agents/delete', builders],
    [
      'POST /memory_stores/{name}/items:list',
      'AIServices/agents/read',
      [...builders, 'Cognitive Services Data Reader'],
    ],
    ['POST /redTeams/runs:run', 'AIServices/evaluations/write', builders],
    ['POST /openai/v1/files multipart/form-data', 'AIServices/assets/write', builders],
    [
      'POST /openai/v1/chat/completions',
      'OpenAI/deployments/chat/completions/action',
      [...builders, ...openAiToo],
    ],
    ['POST /openai/v1/fine_tuning/jobs', 'AIServices/fine_tuning/write', builders],
    [
      'agent POST /responses',
      'AIServices/endpoints/interact/action',
      [...builders, 'Foundry Agent Consumer'],
    ],
    ['agent GET /conversations', 'AIServices/agents/read', [...builders, 'Cognitive Services Data Reader']],
  ])('%s needs %s', (place, action, roles) => {
    expect(documented.get(place)?.action).toBe(`Microsoft.CognitiveServices/accounts/${action}`);
    expect(who(place).sort()).toEqual([...roles].sort());
  });

  test('OpenAI users may not read what others had stored', () => {
    expect(who('GET /openai/v1/chat/completions')).not.toContain('Cognitive Services OpenAI User');
    expect(who('GET /openai/v1/chat/completions')).toContain('Cognitive Services OpenAI Contributor');
  });

  test('owners of the account, and readers, see nothing of what is in a project', () => {
    const seen = [...documented].filter(
      ([, { allowed }]) => allowed.has('Azure AI Account Owner') || allowed.has('Reader'),
    );
    expect(seen.filter(([place]) => !place.includes(' /admin'))).toEqual([]);
  });
});

describe('administration', () => {
  const row = (method: Operation['method'], path: string) =>
    op({ wire: 'admin', method, path, summary: `${method} ${path}` });
  const operations = {
    list: row('GET', '/projects'),
    create: row('POST', '/projects'),
    remove: row('DELETE', '/projects/{name}'),
    exported: row('GET', '/projects/{name}/export'),
    keys: row('GET', '/api-keys'),
    newKey: row('POST', '/api-keys'),
    grant: row('POST', '/users'),
    own: op({ ...row('POST', '/something'), action: 'Microsoft.CognitiveServices/accounts/read' }),
  };

  test.each([
    ['list', 'Microsoft.CognitiveServices/accounts/projects/read'],
    ['create', 'Microsoft.CognitiveServices/accounts/projects/write'],
    ['remove', 'Microsoft.CognitiveServices/accounts/projects/delete'],
    ['exported', 'Microsoft.CognitiveServices/accounts/projects/write'],
    ['keys', 'Microsoft.CognitiveServices/accounts/listKeys/action'],
    ['newKey', 'Microsoft.CognitiveServices/accounts/regenerateKey/action'],
    ['grant', 'Microsoft.Authorization/roleAssignments/write'],
    ['own', 'Microsoft.CognitiveServices/accounts/read'],
  ] as const)('%s needs %s', (name, action) => {
    expect(actionOf(operations[name])).toEqual({ name: action, isData: false });
  });
});
