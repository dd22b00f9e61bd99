const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const;

/** Seconds of a text such as `90s`, `15m`, `1h` or `30d`; null for anything else. */
export function seconds(text: string): number | null {
  const [, amount, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  return amount === undefined ? null : Number(amount) * units[unit as keyof typeof units];
}
