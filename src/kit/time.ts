/** Now, in whole Unix seconds: the time format of all snake_case families. */
export const unixSeconds = (): number => Math.floor(Date.now() / 1000);
