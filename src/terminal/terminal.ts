import type { KubepkiError } from '../errors/error.ts';
import { renderError, renderHint, renderNote, renderWarning } from '../render/diagnostics.ts';
import type { Finding } from '../operations/examination/finding.ts';
import type { ExitCode } from './exit-code.ts';
import type { Interruptions } from './interruptions.ts';
import type { Look } from './tables/look.ts';
import { noProgress, startProgress, type Progress } from './progress.ts';
import type { Streams } from './standard-streams.ts';

/** As commander names them. */
export interface TerminalOptions {
  /** false: `--no-color` */
  readonly color: boolean;
  /** Results and notes are held back; they are written only if something turns out to be wrong. */
  readonly quiet?: boolean;
}

/** stdout carries the result and nothing else; what is said along the way goes to stderr. */
export interface Terminal {
  readonly stdoutColour: boolean;
  readonly stderrColour: boolean;
  /** How a table for a person looks on stdout; undefined: it is no terminal, or one that knows no width: kubeadm's text. */
  tableLook(): Look | undefined;
  /** A person reads what is said along the way. */
  readonly isRead: boolean;
  /** A person can be asked: they see the question, and what they type comes back. */
  readonly interactive: boolean;
  /** `--quiet` */
  readonly quiet: boolean;
  result(text: string): void;
  warning(text: string): void;
  note(text: string): void;
  /** A note that is said with `--quiet` too: what was changed is found in a journal. */
  record(text: string): void;
  /** A line of kubeadm's, word for word. */
  banner(text: string): void;
  hint(text: string | undefined): void;
  error(error: KubepkiError): void;
  /** Shown on a terminal only, with the time it takes, once that is a second; gone when it ends. */
  progress(text: string): Progress;
  /** How the person can interrupt the run. */
  readonly interruptions: Interruptions;
}

/** What a command that was called works with. */
export interface Run {
  readonly open: (options: TerminalOptions) => Terminal;
  /** Receives the exit code. */
  readonly done: (code: ExitCode) => void;
}

export function openTerminal(
  { color, quiet = false }: TerminalOptions,
  streams: Streams,
  interruptions: Interruptions,
): Terminal {
  if (quiet) streams.hold();
  const dumb = process.env['TERM'] === 'dumb';
  // https://no-color.org: set to anything but the empty string. Judged for each stream: one may be a pipe.
  const allowed = color && (process.env['NO_COLOR'] ?? '') === '' && !dumb;
  const stdoutColour = allowed && streams.isTerminal('stdout');
  const isRead = streams.isTerminal('stderr');
  const stderrColour = allowed && isRead;
  const say = (text: string): void => {
    streams.write('stderr', text);
  };
  // A hint shares the fate of what it follows: a warning's is never held back.
  let hintHeld = true;
  return {
    stdoutColour,
    stderrColour,
    tableLook: () => {
      if (dumb || !streams.isTerminal('stdout')) return undefined;
      const { columns: width } = process.stdout;
      // Where none was ever set it is 0, or undefined.
      return width > 0 ? { width, colour: stdoutColour } : undefined;
    },
    isRead,
    // In this order: to look at stdin makes a stream of it.
    get interactive() {
      return isRead && process.stdin.isTTY;
    },
    quiet,
    result: (text) => {
      hintHeld = true;
      streams.writeOrHold('stdout', text);
    },
    warning: (text) => {
      hintHeld = false;
      say(renderWarning(text, { colour: stderrColour }));
    },
    note: (text) => {
      hintHeld = true;
      streams.writeOrHold('stderr', renderNote(text, { colour: stderrColour }));
    },
    record: (text) => {
      hintHeld = false;
      say(renderNote(text, { colour: stderrColour }));
    },
    banner: (text) => {
      hintHeld = true;
      streams.writeOrHold('stderr', `${text}\n`);
    },
    hint: (text) => {
      if (text === undefined) return;
      const line = renderHint(text, { colour: stderrColour });
      if (hintHeld) streams.writeOrHold('stderr', line);
      else say(line);
    },
    error: (error) => {
      // What led to it comes first.
      streams.release();
      say(renderError(error, { colour: stderrColour }));
    },
    progress: (text) =>
      isRead && !dumb && !quiet
        ? startProgress(text, { colour: stderrColour }, streams, interruptions)
        : noProgress,
    interruptions,
  };
}

/** A line each, with what mends it; what mends several is said once, behind the last of them. */
export function warnOfFindings(
  findings: readonly Pick<Finding, 'file' | 'message' | 'hint'>[],
  terminal: Pick<Terminal, 'warning' | 'hint'>,
): void {
  for (const [index, { file, message, hint }] of findings.entries()) {
    terminal.warning(`${file}: ${message}`);
    if (hint !== findings[index + 1]?.hint) terminal.hint(hint);
  }
}
