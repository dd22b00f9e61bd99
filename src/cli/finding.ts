/** What `doctor` says about one thing. */
export interface Finding {
  subject: string;
  ok: boolean;
  message: string;
  /** What to do; null where nothing is wrong. */
  fix: string | null;
}

export const fine = (subject: string, message: string): Finding => ({
  subject,
  ok: true,
  message,
  fix: null,
});

export const problem = (subject: string, message: string, fix: string): Finding => ({
  subject,
  ok: false,
  message,
  fix,
});
