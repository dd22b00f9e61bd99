import { readFile } from 'node:fs/promises';

const intervalMilliseconds = 100;
const pageBytes = 4096;

/** Resident memory of a process in bytes; null where the system does not tell. */
export async function residentBytes(pid: number): Promise<number | null> {
  try {
    const [, pages] = (await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ');
    return Number(pages) * pageBytes;
  } catch {
    return null;
  }
}

/** Looks at a process from outside as long as it works; the bounds within it are its own word only. */
export function watchMemory(pid: number, mostBytes: number, onExceeded: () => void): () => void {
  let looking = false;
  const timer = setInterval(async () => {
    if (looking) return;
    looking = true;
    const bytes = await residentBytes(pid);
    looking = false;
    if (bytes !== null && bytes > mostBytes) onExceeded();
  }, intervalMilliseconds);
  return () => clearInterval(timer);
}
