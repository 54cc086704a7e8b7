import { commandLine } from '../errors/command-line.ts';
import { KubepkiError } from '../errors/error.ts';
import { exists } from '../filesystem/regular-file.ts';
import { retyped } from '../flags/table.ts';
import { commandHere, stateDirectoryOf, type StateDirectory } from '../storage/state-directory.ts';
import { asideJournalPath } from '../storage/aside-journal.ts';
import { pendingRecordPath } from '../storage/pending-requests.ts';
import type { Node } from './node-options.ts';
import type { Terminal } from '../terminal/terminal.ts';

export function stateOf({ layout, flags }: Node): StateDirectory {
  return stateDirectoryOf({ ...layout, flags });
}

/** check-expiration writes nothing; it says that something is waiting. */
export async function noteWaiting(node: Node, terminal: Terminal): Promise<void> {
  const state = stateOf(node);
  const journals = [asideJournalPath(state), state.journal];
  let waiting: string | undefined;
  try {
    waiting = journals.find((path) => exists(path, path));
    if (waiting === undefined) {
      noteRequests(node, state, terminal);
      return;
    }
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    // The state is root's alone, and a monitoring user may not read it. Any other error is said, and the rows
    // are shown all the same.
    if (error.code !== 'no-permission') terminal.warning(error.oneLine);
    return;
  }
  const { isLocked } = await import('../storage/lock.ts');
  if (isLocked(state)) {
    terminal.note('another run is changing these certificates at this moment');
    return;
  }
  const what =
    waiting === state.journal
      ? 'an unfinished change is waiting to be brought to an end'
      : "a static pod's manifest is waiting to be put back";
  terminal.warning(`${what}: ${commandHere(state, 'recover')}`);
}

/** What `renew --use-api` has asked for, and nobody has signed yet. */
function noteRequests({ flags, typed }: Node, state: StateDirectory, terminal: Terminal): void {
  const record = pendingRecordPath(state);
  if (!exists(record, record)) return;
  terminal.note('requests for certificates wait in the cluster, and their keys here');
  const command = commandLine([...retyped(typed, ['kubeconfig']), ...flags]);
  terminal.hint(`go on with them: ${command('renew --use-api --resume')}`);
}
