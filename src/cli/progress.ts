import { elapsedTime } from '../render/elapsed-time.ts';
import { onInterrupt } from './signals.ts';

export interface Progress {
  update(text: string): void;
  /** Whoever started it ends it, in a `finally`: a line that is shown keeps the process alive. */
  end(): void;
}

export const noProgress: Progress = { update: () => undefined, end: () => undefined };

/** What is quicker needs no line that flashes by, and does not load what draws one. */
const patienceMs = 1000;

/** A line on stderr, which must be a terminal: from the second second on, gone when it ends or the process is interrupted. */
export function startProgress(text: string, { colour }: { readonly colour: boolean }): Progress {
  const startedAt = performance.now();
  let current = text;
  let ended = false;
  let shown: { text: string; stop(): void } | undefined;
  let forget = (): void => undefined;

  const end = (): void => {
    ended = true;
    clearTimeout(timer);
    forget();
    shown?.stop();
    shown = undefined;
  };
  const show = async (): Promise<void> => {
    const { default: ora } = await import('ora');
    if (ended) return;
    shown = ora({
      text: current,
      // Asked for with every frame.
      suffixText: () => `(${elapsedTime(performance.now() - startedAt)})`,
      stream: process.stderr,
      // Else with CI set it would be a line that stays.
      isEnabled: true,
      // It would put the terminal into raw mode, where Ctrl-C is a character and no signal.
      discardStdin: false,
      // Ctrl-Z and kill -9 leave nobody who could bring the cursor back.
      hideCursor: false,
      ...(colour ? {} : { color: false as const }),
    }).start();
    forget = onInterrupt(end);
  };
  const timer = setTimeout(() => {
    // An upgrade may have replaced the file since we started; the work goes on without a line.
    show().catch(() => undefined);
  }, patienceMs).unref();

  return {
    update: (now) => {
      current = now;
      if (shown !== undefined) shown.text = now;
    },
    end,
  };
}
