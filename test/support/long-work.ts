/** Long work on our own terminal: each Enter is the next step. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { KubepkiError } from '../../src/errors/error.ts';
import { Interruptions } from '../../src/terminal/interruptions.ts';
import { standardStreams } from '../../src/terminal/standard-streams.ts';
import { openTerminal } from '../../src/terminal/terminal.ts';

const lines = createInterface({ input: process.stdin, terminal: false });
const terminal = openTerminal(
  { color: true },
  standardStreams(() => undefined),
  new Interruptions(),
);
const progress = terminal.progress('working');
await once(lines, 'line');
terminal.warning('look here');
terminal.note('by the way');
terminal.error(new KubepkiError('io', 'it broke', { hint: 'mend it' }));
terminal.result('the result\n');
progress.update('still working');
await once(lines, 'line');
progress.end();
progress.end();
lines.close();
