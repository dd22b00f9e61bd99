/** A bar on stderr, for people only. */
export interface Progress {
  show(bytes: number): void;
  end(): void;
}

const width = 30;
const betweenMs = 100;
const none: Progress = { show() {}, end() {} };

interface Terminal {
  isTTY?: boolean;
  write(text: string): unknown;
}

/** `total`: bytes; null where nobody knows. */
export function progress(
  label: string,
  total: number | null,
  terminal: Terminal = process.stderr,
  now: () => number = performance.now.bind(performance),
): Progress {
  if (!terminal.isTTY) return none;
  let latest = 0;
  let drawn = -betweenMs;
  const draw = (): void => {
    drawn = now();
    terminal.write(`\r\u001b[K${label} ${total === null ? size(latest) : bar(latest, total)}`);
  };
  return {
    show(bytes) {
      latest = bytes;
      if (now() - drawn >= betweenMs) draw();
    },
    end() {
      draw();
      terminal.write('\n');
    },
  };
}

function bar(bytes: number, total: number): string {
  // The frame of a form makes what is sent a little more than the file.
  const part = total === 0 ? 1 : Math.min(1, bytes / total);
  const full = Math.round(part * width);
  const percent = String(Math.floor(part * 100)).padStart(3);
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}] ${percent} % of ${size(total)}`;
}

function size(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const step = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const number = bytes / 1000 ** step;
  return `${step === 0 ? number : number.toFixed(1)} ${units[step]}`;
}
