/** Run by passphrase.test.ts, in a terminal: asks as a command would, and says what it was told. */
import { argv } from 'node:process';
import { KubepkiError } from '../../src/errors/error.ts';
import { FileSystemRoot } from '../../src/filesystem/root.ts';
import { handleSignals, Interruptions } from '../../src/terminal/interruptions.ts';
import { passphraseFor } from '../../src/terminal/passphrase.ts';
import { standardStreams } from '../../src/terminal/standard-streams.ts';
import { openTerminal } from '../../src/terminal/terminal.ts';

const interruptions = new Interruptions();
const streams = standardStreams(() => undefined);
handleSignals(interruptions, streams);
const terminal = openTerminal({ color: false }, streams, interruptions);
const asked = {
  file: undefined,
  root: FileSystemRoot.open(undefined, '/'),
  of: 'the keys',
  isNew: argv[2] === 'new',
};
try {
  console.log(`got ${JSON.stringify(await passphraseFor(asked, terminal))}`);
} catch (error) {
  if (!(error instanceof KubepkiError)) throw error;
  console.log(`${error.code}: ${error.oneLine}`);
}
