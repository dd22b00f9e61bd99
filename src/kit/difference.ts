/** The kinds of change that the API's own rules know, and which of them break clients. */
export const rules = {
  removed: { breaking: true, text: 'Removing fields, routes, or operations' },
  retyped: { breaking: true, text: 'Changing response or request types' },
  required: { breaking: true, text: 'Making optional fields required' },
  header: { breaking: true, text: 'Adding new required headers' },
  tightened: { breaking: true, text: 'Tightening validation rules' },
  field: { breaking: false, text: 'Adding optional fields' },
  endpoint: { breaking: false, text: 'Adding new endpoints' },
  value: { breaking: false, text: 'Adding new enum values' },
  loosened: { breaking: false, text: 'Taking more, or promising more, than before' },
} as const;

export type Rule = keyof typeof rules;

export interface Difference {
  rule: Rule;
  /** `POST /agents · body.metadata` */
  at: string;
  what: string;
}

/** Whether a schema is of what clients send, or of what they are given. */
export type Direction = 'request' | 'response';
