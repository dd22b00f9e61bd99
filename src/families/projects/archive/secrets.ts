import { randomBytes } from 'node:crypto';
import { invalidPayload } from '../../../errors.ts';
import type { ArchiveSecrets } from '../../../kit/project-part.ts';
import type { PassphraseKeys, UnderPassphrase } from '../../../trust/passphrase.ts';
import type { Sealer } from '../../../trust/sealing.ts';
import type { Head } from './format.ts';

type Sealing = NonNullable<Head['secrets']>;

const known = 'bloomery';
const purposeIn = (purpose: string): string => `archive ${purpose}`;

/** What an archive says of its secrets, and what they are sealed with. */
export async function sealingOf(
  passphrase: string,
  keys: PassphraseKeys,
): Promise<{ sealing: Sealing; under: UnderPassphrase }> {
  const salt = randomBytes(16).toString('base64url');
  const under = await keys(passphrase, salt);
  return { sealing: { salt, check: under.seal(known, purposeIn('check'), salt) }, under };
}

/** What opens the secrets of an archive; null for one that has none. */
export async function unlocked(
  { secrets: sealing }: Head,
  passphrase: string | undefined,
  keys: PassphraseKeys,
): Promise<UnderPassphrase | null> {
  if (sealing === undefined) return null;
  if (passphrase === undefined) {
    throw invalidPayload(
      'passphrase',
      'The archive has secrets in it. Send the passphrase that they were sealed under.',
    );
  }
  const under = await keys(passphrase, sealing.salt);
  if (under.open(sealing.check, purposeIn('check'), sealing.salt) === known) return under;
  throw invalidPayload('passphrase', 'The secrets of the archive were sealed under another passphrase.');
}

interface Sealed {
  sealer: Sealer;
  /** The project, or the seal, that a secret of the server is bound to. */
  whose: string;
}

/** Secrets of this server on their way into an archive. */
export const leaving = (under: UnderPassphrase, salt: string, { sealer, whose }: Sealed): ArchiveSecrets => ({
  carry(sealed, purpose) {
    const text = sealer.open(sealed, purpose, whose);
    return text === null ? null : under.seal(text, purposeIn(purpose), salt);
  },
  seal: (text, purpose) => under.seal(text, purposeIn(purpose), salt),
});

/** Secrets of an archive on their way into a project of this server. */
export const arriving = (
  under: UnderPassphrase,
  salt: string,
  { sealer, whose }: Sealed,
): ArchiveSecrets => ({
  carry(sealed, purpose) {
    const text = under.open(sealed, purposeIn(purpose), salt);
    return text === null ? null : sealer.seal(text, purpose, whose);
  },
  seal: (text, purpose) => sealer.seal(text, purpose, whose),
});
