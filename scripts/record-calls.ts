/**
 * Loaded into servers under test (`node --import`): appends every request that was answered to a file of the process in the
 * folder that `BLOOMERY_RECORD_CALLS` names. See `compatibility.ts`.
 */
import { subscribe } from 'node:diagnostics_channel';
import { appendFileSync, mkdirSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';

const folder = process.env.BLOOMERY_RECORD_CALLS;
if (folder !== undefined) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${process.pid}.ndjson`);
  subscribe('http.server.response.finish', (message) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse };
    const { method, url = '', headers } = request;
    if (!url.startsWith('/api/projects/')) return;
    const call = {
      method,
      path: url.split('?', 1)[0],
      status: response.statusCode,
      type: headers['content-type']?.split(';', 1)[0],
      agent: headers['user-agent'],
      language: headers['x-stainless-lang'],
      version: headers['x-stainless-package-version'],
    };
    appendFileSync(file, `${JSON.stringify(call)}\n`);
  });
}
