import type { SigningApi } from '../../../cluster/signing.ts';
import { commandLine } from '../../../errors/command-line.ts';
import { KubepkiError } from '../../../errors/error.ts';
import { shellWord } from '../../../errors/shell-word.ts';
import { retyped } from '../../../flags/table.ts';
import { parseRequest } from '../../../pki/request/certification-request.ts';
import { readPendingRequests, type PendingRequests } from '../../../storage/pending-requests.ts';
import { commandHere, type StateDirectory } from '../../../storage/state-directory.ts';
import type { Node } from '../../../node/node-options.ts';
import { readToFill } from '../../../node/snapshot.ts';
import type { Terminal } from '../../../terminal/terminal.ts';
import { resumeFlags, type ApiOptions } from './api-options.ts';

/** The command that goes on with what waits, as it is to be typed. */
export function resumeCommand(node: Node, options: ApiOptions): string {
  return commandLine([...resumeFlags(options), ...node.flags])('renew --use-api --resume');
}

/** Nothing follows it: a restart and a hook are refused there. */
export function discardCommand({ typed, flags }: Node): string {
  return commandLine([...retyped(typed, ['kubeconfig']), ...flags])('renew --use-api --discard-pending');
}

/**
 * A run that asks anew must not forget what an earlier one has asked for: a certificate may have been issued for its key.
 * @throws KubepkiError conflict
 */
export function requireNothingWaits(state: StateDirectory, node: Node, options: ApiOptions): void {
  const pending = readPendingRequests(state);
  if (pending === undefined) return;
  throw new KubepkiError('conflict', `requests of an earlier run wait: ${namesIn(pending)}`, {
    hint: `go on with them: ${resumeCommand(node, options)}; or give them up: ${discardCommand(node)}`,
  });
}

/**
 * What an earlier run has left.
 * @throws KubepkiError not-found when nothing waits; conflict when it belongs to other files, or has other names
 */
export function requireWaiting(state: StateDirectory, node: Node, names: readonly string[]): PendingRequests {
  const pending = readPendingRequests(state);
  if (pending === undefined) {
    const flags = [...retyped(node.typed, ['kubeconfig']), ...node.flags];
    throw new KubepkiError('not-found', 'no request waits for a certificate', {
      hint: `to ask for certificates: ${commandLine(flags)('renew NAME… --use-api')}`,
    });
  }
  const { root, kubeconfigDir } = node.layout;
  if (pending.kubeconfigDir !== root.resolve(kubeconfigDir)) {
    const shown = root.display(pending.kubeconfigDir);
    throw new KubepkiError('conflict', `what waits is for the kubeconfigs in ${shown}`, {
      hint: `name them: --kubeconfig-dir ${shellWord(shown)}`,
    });
  }
  const waiting = pending.requests.map(({ certificate }) => certificate);
  const asked = names.length === 0 || (names.length === 1 && names[0] === 'all') ? waiting : names;
  const stranger = asked.find((name) => !waiting.includes(name));
  if (stranger !== undefined) {
    throw new KubepkiError('conflict', `no request for ${stranger} waits`, {
      hint: `these do: ${waiting.join(', ')}`,
    });
  }
  const left = waiting.filter((name) => !asked.includes(name));
  if (left.length > 0) {
    throw new KubepkiError('conflict', `${left.join(', ')} was asked for in the same run, and waits too`, {
      hint: 'what was asked for together is put in place together: leave the names out',
    });
  }
  return pending;
}

/**
 * Whether another run has brought it to an end, or dropped it, while this one waited.
 * @throws KubepkiError conflict
 */
export function requireStillWaiting(state: StateDirectory, pending: PendingRequests): void {
  const found = readPendingRequests(state);
  if (found !== undefined && namesIn(found) === namesIn(pending)) return;
  throw new KubepkiError('conflict', `another run has taken up the requests meanwhile: ${namesIn(pending)}`, {
    hint: `${commandHere(state, 'history')} shows what was changed`,
  });
}

/** All keys are in their places: the run that put them there was killed before it could forget the requests. */
export function isInPlace(node: Node, { requests }: PendingRequests): boolean {
  const { keysInUse } = readToFill(node);
  return requests.every(({ request }) => keysInUse.isLive(parseRequest(Buffer.from(request)).publicKey));
}

export function namesIn({ requests }: PendingRequests): string {
  return requests.map(({ name }) => name).join(', ');
}

/** An operator who interrupts the run is told that requests wait. @returns ends that */
export function tellOfPending(
  pending: PendingRequests,
  resume: string,
  { interruptions }: Terminal,
): () => void {
  return interruptions.onInterrupt(() => ({ said: `${namesIn(pending)} wait; to go on: ${resume}` }));
}

/**
 * Takes requests back that nobody waits for any more.
 * @returns those that could not be, which was said
 */
export async function withdraw(
  api: SigningApi,
  names: readonly string[],
  terminal: Terminal,
): Promise<readonly string[]> {
  const left: string[] = [];
  // Nothing is half-done any more, and an API server that hangs takes 10 s for each.
  const { interruptions } = terminal;
  if ((await interruptions.duringHold()) === undefined) interruptions.endHold();
  const forget = interruptions.onInterrupt(() => ({
    said: `perhaps still in the cluster: ${names.join(', ')}`,
  }));
  try {
    for (const name of names) {
      try {
        await api.remove(name);
      } catch (error) {
        if (!(error instanceof KubepkiError)) throw error;
        left.push(name);
        terminal.warning(`the request ${name} could not be deleted: ${error.message}`);
      }
    }
  } finally {
    forget();
  }
  if (left.length > 0) terminal.hint(`delete it: kubectl delete csr ${left.join(' ')}`);
  return left;
}
