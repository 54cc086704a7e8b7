import { CommanderError, type Command } from 'commander';
import { KubepkiError } from '../errors/error.ts';
import { errnoOf } from '../filesystem/filesystem-error.ts';
import { commandFirst } from './command-first.ts';
import { exitCodeOf, exitCodes, nagiosCodes, type ExitCode } from '../terminal/exit-code.ts';
import { asksForNagios } from './nagios-mode.ts';
import { offeredFor } from '../flags/command.ts';
import { ownVersion } from '../commands/version/own-version.ts';
import { buildProgram } from './program.ts';
import { handleSignals, Interruptions } from '../terminal/interruptions.ts';
import { standardStreams } from '../terminal/standard-streams.ts';
import { openTerminal, type Terminal, type TerminalOptions } from '../terminal/terminal.ts';

const words = commandFirst(process.argv.slice(2));

// Until a command has said how it ended, it has failed: an ending that nobody thought of is no success.
process.exitCode = asksForNagios(words) ? nagiosCodes.unknown : exitCodes.error;

const reportIt = 'this is a defect in kubepki: please report the command line and this message';
let isOver = false;
let hasGivenUp = false;
let isResultLost = false;

const interruptions = new Interruptions();
const streams = standardStreams((name, error) => {
  // A note that nobody can read must not change what is done, or what the exit code says of it. And a reader that has seen
  // enough (`| head`) is no error of ours.
  if (name === 'stderr' || errnoOf(error) === 'EPIPE' || isResultLost) return;
  isResultLost = true;
  open({ color: true }).error(new KubepkiError('io', `cannot write to standard output: ${error.message}`));
  // It may be the last thing that happens.
  process.exitCode = codeOfLostResult();
});
handleSignals(interruptions, streams);

// Nothing is left to wait for, and the command waits all the same, for an answer that never comes: its promise cannot settle any
// more. And what is thrown where nobody catches it, in a callback, would be shown by the runtime, with what it quotes.
process.once('beforeExit', () => {
  if (!isOver)
    void giveUp(new KubepkiError('io', 'internal error (it ended before its work did)', { hint: reportIt }));
});
process.on('uncaughtException', (error) => {
  void giveUp(error);
});

void main().then((code) => {
  isOver = true;
  process.exitCode = code;
  // Nothing is left to wait for. Else node would first free the heap piece by piece, which takes a twentieth of a start.
  if (streams.isAllWritten()) process.exit();
});

function open(options: TerminalOptions): Terminal {
  return openTerminal(options, streams, interruptions);
}

async function main(): Promise<ExitCode> {
  try {
    const [first, ...typed] = process.argv.slice(2);
    if (first === '__complete')
      return await (await import('./complete.ts')).printCandidates(typed, open({ color: false }));
    // A help text says no more than itself.
    let said: ExitCode = exitCodes.done;
    const program = await buildProgram(ownVersion, words, {
      open,
      done: (code) => {
        said = code;
      },
    });
    await program.parseAsync(words, { from: 'user' });
    if (isResultLost) said = codeOfLostResult();
    // One that came during a transaction has waited for its end.
    const interruption = await interruptions.duringHold();
    if (interruption !== undefined) said = interruption;
    if (said !== exitCodes.done) streams.release();
    if (interruption !== undefined) interruptions.say(streams);
    return said;
  } catch (error) {
    const code = await report(error);
    // --help ends as an error, too.
    return isResultLost && code === exitCodes.done ? codeOfLostResult() : code;
  }
}

/** What was begun is taken back as after a signal: a manifest that is away returns to its place. */
async function giveUp(error: unknown): Promise<void> {
  // What one failure has others fail of is not worth a second word.
  if (hasGivenUp) return;
  hasGivenUp = true;
  const done = interruptions.cleanUp();
  const code = await report(error);
  for (const { said } of done) open({ color: !words.includes('--no-color') }).record(said);
  const cleanedUp = done.find((one) => one.code !== undefined)?.code;
  const isChanged = interruptions.wasChanged() || done.some(({ changed }) => changed === true);
  process.exit(cleanedUp ?? (isChanged ? exitCodes.changedButNotFinished : code));
}

/** 8 where a change stands: 1 would say that nothing was changed. */
function codeOfLostResult(): ExitCode {
  if (asksForNagios(words)) return nagiosCodes.unknown;
  return interruptions.wasChanged() ? exitCodes.changedButNotFinished : exitCodes.error;
}

/** A plugin's one line; a person who tries it on a terminal finds the error with its hint on stderr. */
async function reportUnknown(line: string): Promise<ExitCode> {
  const { nagiosUnknown } = await import('../render/expiration/nagios.ts');
  open({ color: false }).result(nagiosUnknown(line));
  return nagiosCodes.unknown;
}

async function report(error: unknown): Promise<ExitCode> {
  const terminal = open({ color: !words.includes('--no-color') });
  if (error instanceof CommanderError) {
    // --help and --version end this way too.
    if (error.exitCode === 0) return exitCodes.done;
    const usage = await usageError(error);
    terminal.error(usage);
    return asksForNagios(words) ? reportUnknown(usage.oneLine) : exitCodes.error;
  }
  if (error instanceof KubepkiError) {
    terminal.error(error);
    return asksForNagios(words) ? reportUnknown(error.oneLine) : exitCodeOf(error.code);
  }
  // A defect of ours. What it says may quote a file, and a file may hold a key: only its kind is shown.
  const kind = error instanceof Error ? error.name : typeof error;
  const defect = new KubepkiError('io', `internal error (${kind})`, { hint: reportIt });
  terminal.error(defect);
  return asksForNagios(words) ? reportUnknown(defect.oneLine) : exitCodes.error;
}

// commander says "error: unknown option '--x'", then "(Did you mean --y?)" on a second line.
async function usageError(error: CommanderError): Promise<KubepkiError> {
  const [{ calledBy, pathOf, unknownCommand }, { similarWords }, program] = await Promise.all([
    import('../flags/names/unknown-command.ts'),
    import('../flags/names/similar-words.ts'),
    buildProgram('', []),
  ]);
  // Where the command itself is not known, that is said, and not that its flags are not.
  const unknown = error.code === 'commander.unknownOption' ? unknownCommand(program, words) : undefined;
  if (unknown !== undefined) return unknown;
  const { command } = calledBy(program, words);
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const offered = offeredIn(message, command);
  const near = similarWords(offered.given, offered.words);
  const hint = near.length === 1 ? near[0] : /^\(Did you mean (.*)\?\)$/.exec(suggestion ?? '')?.[1];
  return new KubepkiError('usage', message.replace(/\.$/, ''), {
    hint: hint === undefined ? `${pathOf(command)} --help shows what there is` : `did you mean ${hint}?`,
    cause: error,
  });
}

/** Of a flag that takes one of a few words: what it was given instead, and these. */
function offeredIn(message: string, command: Command): { given: string; words: readonly string[] } {
  const [, flags, given = ''] = /^option '(.*?)' argument '(.*)' is invalid\./s.exec(message) ?? [];
  const option = command.options.find((one) => one.flags === flags);
  const offer = option === undefined ? undefined : offeredFor(option);
  return { given, words: offer === undefined || offer === 'backup' ? [] : offer.map(({ word }) => word) };
}
