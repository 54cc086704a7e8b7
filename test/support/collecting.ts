import { Interruptions } from '../../src/terminal/interruptions.ts';
import { Streams, type Output, type OutputName } from '../../src/terminal/standard-streams.ts';
import { openTerminal, type Terminal, type TerminalOptions } from '../../src/terminal/terminal.ts';

export interface Collecting {
  readonly streams: Streams;
  /** What has been written so far. */
  readonly said: Readonly<Record<OutputName, string>>;
  readonly interruptions: Interruptions;
  readonly open: (options?: Partial<TerminalOptions>) => Terminal;
}

/** What a run is given, with outputs that only collect. */
export function collecting({ isTerminal = false } = {}): Collecting {
  const said = { stdout: '', stderr: '' };
  const output = (name: OutputName): Output => ({
    isTerminal,
    isWritten: true,
    write: (text) => {
      said[name] += text;
    },
  });
  const streams = new Streams({ stdout: output('stdout'), stderr: output('stderr') });
  const interruptions = new Interruptions();
  const open: Collecting['open'] = (options) =>
    openTerminal({ color: false, ...options }, streams, interruptions);
  return { streams, said, interruptions, open };
}
