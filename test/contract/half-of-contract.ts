import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { contractRows, rowLine } from '../../src/families/not-built/contract-rows.ts';
import { coverageOf, placeOf } from '../../src/families/not-built/coverage.ts';
import type { Wire } from '../../src/kit/operation.ts';
import { type ContractApp, type ContractReply, contractApp } from './contract-app.ts';

/** The tests that hold each operation of one half of the contract to: served, or honestly not built. */
export function describeHalf(wire: Wire): void {
  describe('every operation is served, or answers that it is not built', () => {
    let app: ContractApp;
    let notBuilt: Set<string>;
    beforeAll(async () => {
      app = await contractApp();
      notBuilt = new Set(coverageOf(app.served).notBuilt.map(rowLine));
    });
    afterAll(() => app.close());

    const rows = contractRows()
      .filter((row) => row.wire === wire)
      .map((row) => ({ row, line: rowLine(row) }));

    test.each(rows)('$line', async ({ row, line }) => {
      const reply = await app.call(row);
      if (notBuilt.has(line)) expectNotBuilt(reply, wire, line);
      else expectServed(reply);
    });

    test('what is not built needs a credential and a known project all the same', async () => {
      const row = rows.find(({ line }) => notBuilt.has(line))?.row;
      if (row === undefined) return;
      expect(await app.call(row, { headers: { 'api-key': 'wrong' } })).toMatchObject({ status: 401 });
      const url = `/api/projects/nobody${row.path}?api-version=v1`;
      if (wire === 'foundry') expect(await app.call(row, { url })).toMatchObject({ status: 404 });
    });

    test.each([
      ['multipart', 'multipart/form-data; boundary=x', '--x--\r\n'],
      ['bytes', 'application/octet-stream', '\0\x01\x02'],
      ['text', 'text/plain', 'hello'],
      ['broken JSON', 'application/json', '{"a":'],
      ['a body beyond the limit', 'application/json', `"${'x'.repeat(40_000_000)}"`],
    ])('what is not built says so to %s as well', async (_, contentType, payload) => {
      const places = rows.map(({ row }) => placeOf(row));
      const taking = rows.filter(
        ({ row, line }) =>
          notBuilt.has(line) &&
          !['GET', 'DELETE'].includes(row.method) &&
          // Where the contract has a place twice, another media type is another operation.
          places.filter((place) => place === placeOf(row)).length === 1,
      );
      for (const { row, line } of taking.slice(0, payload.length > 1000 ? 1 : undefined)) {
        const reply = await app.call(row, { payload, headers: { 'content-type': contentType } });
        expect([line, reply.status, reply.error?.code]).toEqual([line, 501, 'not_implemented']);
      }
    });
  });
}

export function expectNotBuilt({ status, headers, error }: ContractReply, wire: Wire, line: string): void {
  expect({ status, error }).toEqual({
    status: 501,
    error: {
      code: 'not_implemented',
      message: expect.stringContaining(`(${line})`),
      param: null,
      target: null,
      details: [],
      additionalInfo: { request_id: headers['x-request-id'] },
      ...(wire === 'openai' ? { type: 'server_error' } : {}),
    },
  });
  expect(headers).toMatchObject({ 'x-should-retry': 'false', 'x-request-id': expect.any(String) });
}

/** Sample parameters name nothing that exists, so the answer may well be an error, but one of the operation's own. */
function expectServed({ status, error }: ContractReply): void {
  expect(status).toBeLessThan(500);
  expect([405, 415]).not.toContain(status);
  expect(error?.message ?? '').not.toMatch(/^There is no route/);
}
