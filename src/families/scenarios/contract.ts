import Type from 'typebox';
import { op } from '../../kit/operation.ts';
import { ScenarioFile } from '../../kit/scenario.ts';

const byName = Type.Object({ name: Type.String({ minLength: 1, description: 'The name of the project.' }) });

export const ScenarioSet = Type.Object({
  project: Type.String(),
  scenarios: ScenarioFile.properties.scenarios,
});

export const operations = {
  list: op({
    method: 'GET',
    path: '/scenarios',
    summary: 'List the projects that have scenarios of their own, with them',
    wire: 'admin',
    result: Type.Object({ value: Type.Array(ScenarioSet) }),
  }),
  get: op({
    method: 'GET',
    path: '/scenarios/{name}',
    summary: "Get a project's own scenarios",
    wire: 'admin',
    params: byName,
    result: ScenarioSet,
  }),
  put: op({
    method: 'PUT',
    path: '/scenarios/{name}',
    summary: 'Script what the builtin model replies in a project',
    wire: 'admin',
    params: byName,
    body: ScenarioFile,
    result: ScenarioSet,
  }),
  delete: op({
    method: 'DELETE',
    path: '/scenarios/{name}',
    summary: "End a project's own scenarios",
    wire: 'admin',
    params: byName,
    status: 204,
  }),
};
