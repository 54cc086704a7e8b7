import type { Ora } from 'ora';
import { elapsedTime } from '../render/elapsed-time.ts';
import { onInterrupt } from './signals.ts';

export interface Progress {
  update(text: string): void;
  /** Whoever started it ends it, in a `finally`: a line that is shown keeps the process alive. */
  end(): void;
}

export const noProgress: Progress = { update: () => undefined, end: () => undefined };

/** What is quicker needs no line that flashes by. */
const patienceMs = 1000;

/** A line on stderr, which must be a terminal: from a second on, gone when it ends or the process is interrupted. */
export async function startProgress(
  text: string,
  { colour }: { readonly colour: boolean },
): Promise<Progress> {
  const startedAt = performance.now();
  // Now, not when the second has passed: modules are read by the threads that will be making keys then. An upgrade may
  // have replaced the file since we started; the work goes on without a line.
  const loaded = await Promise.all([import('ora'), import('../render/colour-as-told.ts')]).catch(
    () => undefined,
  );
  if (loaded === undefined) return noProgress;
  const [{ default: ora }, { colourAsTold }] = loaded;
  colourAsTold(colour);
  const line = ora({
    text,
    // Asked for with every frame.
    suffixText: () => `(${elapsedTime(performance.now() - startedAt)})`,
    stream: process.stderr,
    // Else, with CI set, it would be a line that stays.
    isEnabled: true,
    // It would put the terminal into raw mode, where Ctrl-C is a character and no signal.
    discardStdin: false,
    // Ctrl-Z and kill -9 leave nobody who could bring the cursor back.
    hideCursor: false,
    ...(colour ? {} : { color: false as const }),
  });
  return shownAfter(patienceMs, line);
}

function shownAfter(milliseconds: number, line: Ora): Progress {
  let forget: (() => void) | undefined;
  const timer = setTimeout(() => {
    line.start();
    forget = onInterrupt(() => {
      end();
    });
  }, milliseconds).unref();
  function end(): void {
    clearTimeout(timer);
    if (forget === undefined) return;
    forget();
    forget = undefined;
    line.stop();
  }
  return {
    update: (text) => {
      line.text = text;
    },
    end,
  };
}
