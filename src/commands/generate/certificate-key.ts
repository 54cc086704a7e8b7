import { randomCertificateKey } from '../../pki/key/random.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** The one secret that is meant for stdout. */
export function printCertificateKey(terminal: Terminal): ExitCode {
  terminal.result(`${randomCertificateKey()}\n`);
  return exitCodes.done;
}
