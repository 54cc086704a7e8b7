import { kubeadmDate } from '../kubeadm-date.ts';
import { printable } from '../printable.ts';

/**
 * A certificate that `--within` leaves as it is. Each of the `reasons` is said of the certificate: `has no
 * private key`.
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

/**
 * kubeadm's sentences, a line each.
 * @param closing whether kubeadm's last line, about restarting, follows
 */
export function renewalLines(
  outcomes: readonly RenewalOutcome[],
  { closing }: { readonly closing: boolean },
): string {
  return (
    outcomes.map((outcome) => `${printable(sentence(outcome))}\n`).join('') + (closing ? closingText : '')
  );
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
  switch (outcome.status) {
    case 'not-due':
      return `${outcome.longName} is not due: it ends ${kubeadmDate(outcome.notAfter)}`;
    case 'unsound':
      return `${outcome.longName} is left alone: it ${outcome.reasons.join(' and ')}`;
  }
}
