/** What the cells of the report's tables say. */
export const verdict = (reached: boolean): string => (reached ? 'reached' : 'MISSED');
export const signed = (value: number): string => `${value < 0 ? '' : '+'}${value.toFixed(2)}`;
