import type { ProjectTable } from '../../kit/project-part.ts';

export const projectTables: readonly ProjectTable[] = [
  { table: 'agents', rows: 'kept', key: ['name'], counts: { seq: 'agents' }, json: ['endpoint', 'card'] },
  {
    table: 'agent_versions',
    rows: 'kept',
    key: ['agent_name', 'version'],
    names: ['definition'],
    json: ['metadata', 'definition'],
  },
  { table: 'deleted_agents', rows: 'left' },
];
