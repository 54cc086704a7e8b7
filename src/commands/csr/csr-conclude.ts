import { KubepkiError } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import type { Failing, SettledRow } from '../../operations/kubelet-serving/kubelet-serving.ts';
import { decisionDocument, decisionLines } from '../../render/requests/signing-requests.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Typed } from '../../flags/table.ts';
import type { Terminal } from '../../terminal/terminal.ts';

interface DecidedRequests extends Typed<'output'> {
  readonly command: 'approve' | 'deny';
  readonly dryRun: boolean;
  /** Each was named on the command line, so that each matters. */
  readonly named: boolean;
  readonly rows: readonly SettledRow[];
  /** The command that shows how requests stand. */
  readonly look: string;
}

/** Says what has become of each request: the result is what was decided; what was not is an error, or a warning with `--all`. */
export function concludeRequests(conclusion: DecidedRequests, terminal: Terminal): ExitCode {
  const { command, dryRun, named, rows, output, look } = conclusion;
  terminal.result(
    output === 'text' ? decisionLines(rows) : decisionDocument({ command, dryRun, rows }, output),
  );
  let missed = false;
  for (const { settled } of rows) {
    const refusal = refusalOf(settled, command, look);
    if (refusal === undefined) continue;
    missed = true;
    if (named) terminal.error(refusal);
    else {
      terminal.warning(refusal.oneLine);
      terminal.hint(refusal.hint);
    }
  }
  if (dryRun && output === 'text') terminal.note('nothing was decided (--dry-run)');
  return named && missed ? exitCodes.error : exitCodes.done;
}

const verbs = { approve: 'approved', deny: 'denied' } as const;

/** A request that was named to be approved, and was denied, is an error, too. */
function refusalOf(
  one: SettledRow['settled'],
  command: DecidedRequests['command'],
  look: string,
): KubepkiError | undefined {
  const { name, outcome } = one;
  switch (outcome) {
    case 'approved':
    case 'would-approve':
      return undefined;
    case 'not-found':
      return new KubepkiError('not-found', `there is no request ${name}`, {
        hint: `${look} shows those that there are`,
      });
    case 'unreadable':
      return new KubepkiError('refused', `${name} is not ${verbs[command]}: ${one.reason}`, {
        hint: `look at it: kubectl get csr ${shellWord(name)} -o yaml | less`,
      });
    case 'denied':
    case 'would-deny':
      if (command === 'deny' || one.because === undefined) return undefined;
      return outcome === 'denied'
        ? refused(name, 'denied, not approved', one.because)
        : refused(name, 'not approved', one.because, byHand(one.because.check, name));
    case 'refused':
      if (one.because === undefined) throw new TypeError('refused for nothing');
      return command === 'deny'
        ? refused(name, 'not denied', one.because)
        : refused(name, 'not approved', one.because, byHand(one.because.check, name));
  }
}

function refused(name: string, what: string, { check, reason }: Failing, hint?: string): KubepkiError {
  return new KubepkiError('refused', `${name} is ${what} (check ${check}): ${reason}`, { hint });
}

/**
 * A control-plane node is its own endpoint: these checks alone cannot tell it from a node that pretends to be
 * one.
 */
function byHand(check: Failing['check'], name: string): string | undefined {
  if (check !== 'kubernetes-endpoints' && check !== 'control-plane-endpoint') return undefined;
  return `of a control-plane node this may be right: look at the request and the node, then: kubectl certificate approve ${shellWord(name)}`;
}
