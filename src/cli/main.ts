import { CommanderError, type Command } from 'commander';
import { KubepkiError } from '../errors/error.ts';
import { errnoOf } from '../filesystem/filesystem-error.ts';
import { commandFirst } from './command-first.ts';
import { exitCodeOf, exitCodes, nagiosCodes } from './exit-code.ts';
import { releaseOutput } from './held-output.ts';
import { asksForNagios } from './nagios-mode.ts';
import { offeredFor } from './offering.ts';
import { ownVersion } from './own-version.ts';
import { buildProgram } from './program.ts';
import { handleSignals, interruptionDuringHold, sayInterrupted, wasChanged } from './signals.ts';
import { isAllWritten, onOutputError } from './standard-streams.ts';
import { openTerminal } from './terminal.ts';

const words = commandFirst(process.argv.slice(2));

handleSignals();

let isResultLost = false;

onOutputError((name, error) => {
  // A note that nobody can read must not change what is done, or what the exit code says of it. And a reader that has seen
  // enough (`| head`) is no error of ours.
  if (name === 'stderr' || errnoOf(error) === 'EPIPE' || isResultLost) return;
  isResultLost = true;
  openTerminal({ color: true }).error(
    new KubepkiError('io', `cannot write to standard output: ${error.message}`),
  );
  // It may be the last thing that happens.
  process.exitCode = codeOfLostResult();
});

void main().then(() => {
  // Nothing is left to wait for. Else node would first free the heap piece by piece, which takes a twentieth of a start.
  if (isAllWritten()) process.exit();
});

async function main(): Promise<void> {
  try {
    const program = await buildProgram(ownVersion, words, (code) => {
      process.exitCode = code;
    });
    await program.parseAsync(words, { from: 'user' });
    if (isResultLost) process.exitCode = codeOfLostResult();
    // One that came during a transaction has waited for its end.
    const interruption = await interruptionDuringHold();
    if (interruption !== undefined) process.exitCode = interruption;
    if (process.exitCode !== undefined && process.exitCode !== exitCodes.done) releaseOutput();
    if (interruption !== undefined) sayInterrupted();
  } catch (error) {
    const code = await report(error);
    // --help ends as an error, too.
    process.exitCode = isResultLost && code === exitCodes.done ? codeOfLostResult() : code;
  }
}

function codeOfLostResult(): number {
  if (asksForNagios(words)) return nagiosCodes.unknown;
  return wasChanged() ? exitCodes.changedButNotFinished : exitCodes.error;
}

/** A plugin's one line; a person who tries it on a terminal finds the error with its hint on stderr. */
async function reportUnknown(line: string): Promise<number> {
  const { nagiosUnknown } = await import('../render/nagios.ts');
  openTerminal({ color: false }).result(nagiosUnknown(line));
  return nagiosCodes.unknown;
}

async function report(error: unknown): Promise<number> {
  const terminal = openTerminal({ color: !words.includes('--no-color') });
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
  const defect = new KubepkiError('io', `internal error (${kind})`, {
    hint: 'this is a defect in kubepki: please report the command line and this message',
  });
  terminal.error(defect);
  return asksForNagios(words) ? reportUnknown(defect.oneLine) : exitCodes.error;
}

// commander says "error: unknown option '--x'", then "(Did you mean --y?)" on a second line.
async function usageError(error: CommanderError): Promise<KubepkiError> {
  const [{ calledBy, pathOf, unknownCommand }, { similarWords }, program] = await Promise.all([
    import('./unknown-command.ts'),
    import('../operations/similar-words.ts'),
    buildProgram('', [], () => undefined),
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
  const candidates = option === undefined ? undefined : offeredFor(option);
  return { given, words: candidates?.kind === 'words' ? candidates.words.map(({ word }) => word) : [] };
}
