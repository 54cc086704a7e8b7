import { printableLines } from '../printable.ts';
import { kubeadmDate, humanDuration } from '../times.ts';

/**
 * A certificate that `--within` leaves as it is. Each of the `reasons` is a predicate: `has no private key`.
 */
type RestingOutcome =
  | { readonly status: 'not-due'; readonly longName: string; readonly notAfter: Date }
  | { readonly status: 'unsound'; readonly longName: string; readonly reasons: readonly string[] };

/** What every way to renew may say of a certificate that stays. */
export type ShownLeft =
  | { readonly status: 'missing'; readonly longName: string }
  | { readonly status: 'same-sans'; readonly longName: string }
  | RestingOutcome;

export type RenewalOutcome =
  | { readonly status: 'renewed'; readonly longName: string }
  | ShownLeft
  | { readonly status: 'ca-ends-first'; readonly longName: string; readonly notAfter: Date }
  | { readonly status: 'external-ca'; readonly longName: string; readonly caBaseName: string };

const closingText = `
Done renewing certificates. You must restart the kube-apiserver, kube-controller-manager, kube-scheduler and etcd, so that they can use the new certificates.
`;

interface RenewalText {
  /** Whether kubeadm's last line, about restarting, follows. */
  readonly closing: boolean;
  /** The window as typed; undefined: what is due does not matter. */
  readonly within: string | undefined;
  /** Certificates are renewed that are none of these outcomes. */
  readonly due: boolean;
}

/** kubeadm's sentences, a line each. What is not due is said only beside what is: a timer's daily run has one line. */
export function renewalLines(
  outcomes: readonly RenewalOutcome[],
  { closing, within, due }: RenewalText,
): string {
  const said = outcomes.filter(({ status }) => status !== 'not-due');
  const isIdle = !due && said.length < outcomes.length && said.every(({ status }) => status === 'missing');
  const lines = printableLines((isIdle && within !== undefined ? said : outcomes).map(sentence));
  const idle = isIdle && within !== undefined ? `nothing is due within ${within}\n` : '';
  return lines + (closing ? closingText : '') + idle;
}

/** A line for each copy of admin.conf that now holds what admin.conf holds. */
export function copyLines(paths: readonly string[]): string {
  return printableLines(paths.map((path) => `copy ${path} brought up to date`));
}

function sentence(outcome: RenewalOutcome): string {
  switch (outcome.status) {
    case 'renewed':
      return `${outcome.longName} renewed`;
    case 'missing':
      return `MISSING! ${outcome.longName}`;
    case 'not-due':
    case 'unsound':
      return restingSentence(outcome);
    case 'same-sans':
      return `${outcome.longName} not renewed: its SANs are those asked for`;
    case 'ca-ends-first':
      return `${outcome.longName} not renewed: it ends ${kubeadmDate(outcome.notAfter)}, and its CA no later`;
    case 'external-ca':
      return `Detected external ${outcome.caBaseName}, ${outcome.longName} can't be renewed`;
  }
}

export function restingSentence(outcome: RestingOutcome): string {
  return outcome.status === 'not-due'
    ? `${outcome.longName} is not due: it ends ${kubeadmDate(outcome.notAfter)}`
    : `${outcome.longName} is left alone: it ${outcome.reasons.join(' and ')}`;
}

/**
 * The certificates that are about to be renewed, and the question. It ends without a newline, where the answer is typed.
 * @param each what each of them gets
 */
export function renewalQuestion(
  rows: readonly { readonly name: string; readonly notAfter: Date; readonly residualMs: number }[],
  each = 'a new key and a new certificate',
): string {
  const longest = Math.max(...rows.map(({ name }) => name.length));
  const list = rows.map(
    ({ name, notAfter, residualMs }) =>
      `  ${name.padEnd(longest)}  ends ${kubeadmDate(notAfter)} (${humanDuration(residualMs)})\n`,
  );
  const what = rows.length === 1 ? 'this certificate' : `these ${String(rows.length)} certificates`;
  return `Each gets ${each}:\n${list.join('')}Renew ${what}? [y/N] `;
}
