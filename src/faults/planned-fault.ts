import { ApiError, type ApiErrorOptions, catalogue, type ErrorCode } from '../errors.ts';

/** An error that was asked for. A 500 of this kind is no bug of ours. */
export class PlannedFault extends ApiError {}

/** Where several codes have the status. */
const usual: Record<number, ErrorCode> = {
  400: 'invalid_payload',
  403: 'PermissionDenied',
  404: 'not_found',
  409: 'conflict',
};

/** An error of any status, with the code that the catalogue has for it or for its like. */
export function plannedStatus(status: number, message: string, options: ApiErrorOptions): PlannedFault {
  const code =
    usual[status] ??
    (Object.keys(catalogue) as ErrorCode[]).find((one) => catalogue[one].status === status) ??
    (status < 500 ? 'invalid_payload' : 'service_unavailable');
  return new PlannedFault(status, code, message, options);
}
