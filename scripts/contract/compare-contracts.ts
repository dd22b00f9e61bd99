import type { Difference } from '../../src/kit/difference.ts';
import { type Comparison, compareSchemas } from './compare-schemas.ts';
import type { Contract, ContractOperation } from './normal-form.ts';

interface Pair {
  old: ContractOperation;
  now: ContractOperation;
  at: string;
}

/** How the present contract differs from an earlier one, each difference with the rule that it falls under. */
export function compareContracts(old: Contract, now: Contract): Difference[] {
  const schemas = { old: old.schemas, now: now.schemas };
  const request: Comparison = { ...schemas, direction: 'request' };
  const response: Comparison = { ...schemas, direction: 'response' };
  return [...new Set([...Object.keys(old.operations), ...Object.keys(now.operations)])].flatMap((at) => {
    const [was, is] = [old.operations[at], now.operations[at]];
    if (is === undefined) return [{ rule: 'removed', at, what: 'operation removed' }];
    if (was === undefined) return [{ rule: 'endpoint', at, what: 'new operation' }];
    // What only said that it is not built has promised nothing.
    if (!was.built) return is.built ? [{ rule: 'endpoint', at, what: 'now built' }] : [];
    if (!is.built) return [{ rule: 'removed', at, what: 'no longer built' }];
    const pair = { old: was, now: is, at };
    return [
      ...parameters(request, pair),
      ...preview(pair),
      ...body(request, pair),
      ...answers(response, pair),
    ];
  });
}

function parameters(comparison: Comparison, { old, now, at }: Pair): Difference[] {
  const names = [...new Set([...Object.keys(old.parameters), ...Object.keys(now.parameters)])];
  return names.flatMap((name): Difference[] => {
    const [was, is] = [old.parameters[name], now.parameters[name]];
    const place = `${at} · ${name}`;
    if (is === undefined) return [{ rule: 'removed', at: place, what: 'removed' }];
    const need = name.startsWith('header ') ? 'header' : 'required';
    if (was === undefined) {
      return [
        is.required
          ? { rule: need, at: place, what: 'new, and required' }
          : { rule: 'field', at: place, what: 'new' },
      ];
    }
    const necessity: Difference[] =
      was.required === is.required
        ? []
        : [
            is.required
              ? { rule: need, at: place, what: 'now required' }
              : { rule: 'loosened', at: place, what: 'now optional' },
          ];
    return [...necessity, ...compareSchemas(comparison, { old: was.schema, now: is.schema, at: place })];
  });
}

/** The header is there before and after: only its key is another. */
function preview({ old, now, at }: Pair): Difference[] {
  if (old.preview === undefined || now.preview === undefined || old.preview === now.preview) return [];
  return [{ rule: 'header', at: `${at} · header Foundry-Features`, what: `${old.preview} → ${now.preview}` }];
}

function body(comparison: Comparison, { old, now, at }: Pair): Difference[] {
  const place = `${at} · body`;
  if (old.body === undefined) {
    return now.body === undefined
      ? []
      : [
          {
            rule: now.body.required ? 'required' : 'field',
            at: place,
            what: now.body.required ? 'new, and required' : 'new',
          },
        ];
  }
  if (now.body === undefined) return [{ rule: 'removed', at: place, what: 'removed' }];
  const { body: was } = old;
  const { body: is } = now;
  const need: Difference[] =
    was.required === is.required
      ? []
      : [
          {
            rule: is.required ? 'required' : 'loosened',
            at: place,
            what: is.required ? 'now required' : 'now optional',
          },
        ];
  return [...need, ...media(comparison, was.media, is.media, place)];
}

function answers(comparison: Comparison, { old, now, at }: Pair): Difference[] {
  const statuses = [...new Set([...Object.keys(old.answers), ...Object.keys(now.answers)])];
  return statuses.flatMap((status): Difference[] => {
    const [was, is] = [old.answers[status], now.answers[status]];
    const place = `${at} · ${status}`;
    if (is === undefined) return [{ rule: 'retyped', at: place, what: 'no longer answered' }];
    if (was === undefined)
      return [{ rule: 'retyped', at: place, what: 'a success status that clients do not know' }];
    return media(comparison, was, is, place);
  });
}

type Media = ContractOperation['answers'][string];

function media(comparison: Comparison, old: Media, now: Media, at: string): Difference[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((type): Difference[] => {
    const [was, is] = [old[type], now[type]];
    if (is === undefined) return [{ rule: 'retyped', at, what: `no longer ${type}` }];
    if (was === undefined) return [{ rule: 'loosened', at, what: `also ${type}` }];
    return compareSchemas(comparison, {
      old: was,
      now: is,
      at: type === 'application/json' ? at : `${at} ${type}`,
    });
  });
}
