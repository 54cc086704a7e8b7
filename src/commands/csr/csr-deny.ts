import { KubepkiError } from '../../errors/error.ts';
import { verdictOnDenial } from '../../operations/kubelet-serving/kubelet-serving.ts';
import { openRoot } from './csr-connection.ts';
import { listCommand, type CsrOptions } from './csr-flags.ts';
import { requestNames, runDecisions } from './csr-run.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export interface CsrDenyOptions extends CsrOptions {
  readonly dryRun?: boolean;
}

export async function denyRequests(
  given: readonly string[],
  options: CsrDenyOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (given.length === 0) {
    throw new KubepkiError('usage', 'no request is named', { hint: `${listCommand(options)} shows them` });
  }
  const names = requestNames(given, options);
  const root = openRoot(options);
  const judge = { judge: verdictOnDenial, lookAgain: () => Promise.resolve() };
  return runDecisions({ root, command: 'deny', named: true, options, terminal }, async ({ api, settle }) => {
    for (const name of names) await settle(name, await api.read(name), judge);
  });
}
