import { type ApiError, apiError } from '../../errors.ts';

/** Fails a call of a tool with words that its item shows and the model is told. */
export const toolFailure = (message: string): ApiError => apiError('model_error', message);
