import { progressLine } from '../render/progress-line.ts';
import type { Interruptions } from './interruptions.ts';
import type { Streams } from './standard-streams.ts';

export interface Progress {
  update(text: string): void;
  /** The one that started it ends it, in a `finally`. */
  end(): void;
}

export const noProgress: Progress = { update: () => undefined, end: () => undefined };

/** What is quicker needs no line that flashes by. */
const patienceMs = 1000;
const intervalMs = 200;

/**
 * A line on stderr, which must be a terminal: from a second on, gone when it ends or the process is interrupted. None where
 * the terminal does not know its width. The cursor stays visible: Ctrl-Z and kill -9 leave nobody who could bring it back.
 */
export function startProgress(
  text: string,
  { colour }: { readonly colour: boolean },
  streams: Streams,
  interruptions: Interruptions,
): Progress {
  const startedAt = performance.now();
  let said = text;
  let turn = 0;
  const draw = (): void => {
    const { columns } = process.stderr;
    // A timer may fire a fraction of a millisecond before its time.
    const elapsedMs = Math.ceil(performance.now() - startedAt);
    streams.showStatusRow(progressLine({ text: said, elapsedMs, turn: turn++, columns, colour }));
  };
  let forget: (() => void) | undefined;
  let timer = setTimeout(() => {
    forget = interruptions.onInterrupt(() => {
      end();
      return undefined;
    });
    draw();
    timer = setInterval(draw, intervalMs).unref();
  }, patienceMs).unref();
  function end(): void {
    clearTimeout(timer);
    if (forget === undefined) return;
    forget();
    forget = undefined;
    streams.showStatusRow('');
  }
  return {
    update: (text) => {
      said = text;
    },
    end,
  };
}
