import type { KubepkiError } from '../errors/error.ts';
import { renderError, renderHint, renderNote, renderWarning } from '../render/diagnostics.ts';

export interface Progress {
  update(text: string): void;
  end(): void;
}

/** stdout carries the result and nothing else; what is said along the way goes to stderr. */
export interface Terminal {
  readonly stdoutColour: boolean;
  readonly stderrColour: boolean;
  /** A person can be asked: they see the question, and what they type comes back. */
  readonly interactive: boolean;
  result(text: string): void;
  warning(text: string): void;
  note(text: string): void;
  hint(text: string | undefined): void;
  error(error: KubepkiError): void;
  /** Shown on a terminal only, and gone when it ends. */
  progress(text: string): Promise<Progress>;
}

/** @param colour false: `--no-color` */
export function openTerminal(colour: boolean): Terminal {
  const dumb = process.env['TERM'] === 'dumb';
  // https://no-color.org: set to anything but the empty string. Judged for each stream: one may be a pipe.
  const allowed = colour && (process.env['NO_COLOR'] ?? '') === '' && !dumb;
  const stdoutColour = allowed && process.stdout.isTTY;
  const stderrColour = allowed && process.stderr.isTTY;
  const say = (text: string): void => {
    process.stderr.write(text);
  };
  return {
    stdoutColour,
    stderrColour,
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    result: (text) => {
      process.stdout.write(text);
    },
    warning: (text) => {
      say(renderWarning(text, { colour: stderrColour }));
    },
    note: (text) => {
      say(renderNote(text, { colour: stderrColour }));
    },
    hint: (text) => {
      if (text !== undefined) say(renderHint(text, { colour: stderrColour }));
    },
    error: (error) => {
      say(renderError(error, { colour: stderrColour }));
    },
    progress: async (text) => (process.stderr.isTTY && !dumb ? spinner(text, stderrColour) : silent),
  };
}

const silent: Progress = { update: () => undefined, end: () => undefined };

async function spinner(text: string, colour: boolean): Promise<Progress> {
  const { default: ora } = await import('ora');
  // discardStdin would put the terminal into raw mode, where Ctrl-C is a character and no signal.
  const shown = ora({
    text,
    stream: process.stderr,
    discardStdin: false,
    ...(colour ? {} : { color: false }),
  });
  shown.start();
  return {
    update: (now) => {
      shown.text = now;
    },
    end: () => {
      shown.stop();
    },
  };
}
