import { unixSeconds } from '../../kit/time.ts';
import type { Contents } from '../../storage/contents.ts';
import type { UploadStore } from './store.ts';

const swept = 100;
/** How long an ended upload is still known. */
const keptSeconds = 7 * 86_400;

/** Ends uploads that are over, but for those whose file is just being made, and forgets those that ended long ago. */
export async function sweepUploads(
  store: UploadStore,
  contents: Contents,
  completing: ReadonlySet<string>,
): Promise<void> {
  const now = unixSeconds();
  for (;;) {
    const expired = await store.expired(now, swept);
    const over = expired.filter(({ id }) => !completing.has(id));
    for (const { id } of over) {
      for (const part of (await store.endAlone(id, 'expired')) ?? []) await contents.remove(part);
    }
    if (expired.length < swept || over.length === 0) break;
  }
  await store.forget(now - keptSeconds);
}
