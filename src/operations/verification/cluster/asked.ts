import { nothingHere, type Look, type Trouble } from '../check.ts';
import type { Observed } from '../observed.ts';
import type { Asked, Cluster } from './cluster.ts';

/** Looks at what the cluster has answered. Of what it was not asked, or did not say, nothing is known. */
export function lookAtAnswer<T>(
  { cluster }: Observed,
  what: string,
  partOf: (cluster: Cluster) => Asked<T>,
  look: (answer: T, cluster: Cluster) => Look,
): Look {
  if (cluster === undefined) return nothingHere;
  const asked = partOf(cluster);
  switch (asked.status) {
    case 'answered':
      return look(asked.value, cluster);
    case 'absent':
      return nothingHere;
    case 'unasked':
      return { looked: 0, troubles: [notKnown(what, asked, cluster)] };
  }
}

const unreachable =
  'see whether kube-apiserver runs (crictl ps -a --name kube-apiserver), or ask by another way in: --kubeconfig FILE';

/** @param what in words, the API server's own answer following */
export function notKnown(
  what: string,
  { why, hint }: Extract<Asked<unknown>, { status: 'unasked' }>,
  { kubeconfig }: Cluster,
): Trouble {
  const message = `${what} cannot be judged: ${why}`;
  return {
    grade: 'unchecked',
    name: 'cluster',
    file: kubeconfig,
    message,
    hint: hint ?? unreachable,
    cause: why,
  };
}

// More of them would hide what is said.
const mostNames = 5;

/** `a, b and 12 more`: a cluster may have thousands of them. */
export function listed(names: readonly string[]): string {
  const shown = names.slice(0, mostNames).join(', ');
  return names.length <= mostNames ? shown : `${shown} and ${String(names.length - mostNames)} more`;
}

/** `1 kubelet`, `3 kubelets` */
export function counted(count: number, what: string): string {
  return `${String(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** `192.0.2.1:6443`, `[2001:db8::1]:6443` */
export function addressText({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}
