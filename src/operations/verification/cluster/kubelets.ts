import { attributesOf } from '../../../pki/der/name.ts';
import { isoSeconds } from '../../../pki/der/time.ts';
import type { Certificate } from '../../../pki/certificate/certificate.ts';
import { validatePath } from '../../../pki/path/path.ts';
import { lastFlagValue } from '../../node/component-flags.ts';
import type { Grade, Look, Trouble } from '../check.ts';
import type { Observed } from '../observed.ts';
import { counted, listed, lookAtAnswer } from './asked.ts';
import type { Kubelet } from './cluster.ts';

/** What may be said of many kubelets at once. */
interface Saying {
  readonly grade: Grade;
  readonly message: string;
  readonly hint: string;
}

interface Judged {
  readonly saying: Saying;
  /** The node, and what is its own. */
  readonly who: string;
}

/** The API server calls each kubelet for logs, exec and metrics, and verifies what it shows only if it is told to. */
export function serveValidCertificates(observed: Observed): Look {
  const sayings = sayingsFor(observed);
  return lookAtAnswer(
    observed,
    'the certificates of the kubelets',
    ({ kubelets }) => kubelets,
    (kubelets): Look => {
      const judged = kubelets.flatMap((kubelet) => judge(kubelet, observed, sayings));
      return {
        looked: kubelets.length,
        troubles: Object.values(sayings).flatMap((one) => ofAll(one, judged)),
      };
    },
  );
}

/** One line for all of which the same is to be said: there may be thousands. */
function ofAll(saying: Saying, judged: readonly Judged[]): Trouble[] {
  const { grade, message, hint } = saying;
  const names = judged.filter((one) => one.saying === saying).map(({ who }) => who);
  const file = counted(names.length, 'Node');
  return names.length === 0
    ? []
    : [{ grade, name: 'kubelet', file, message: `the kubelet ${message}: ${listed(names)}`, hint }];
}

type Sayings = Readonly<
  Record<'silent' | 'late' | 'expired' | 'expiredOwn' | 'own' | 'other' | 'refused', Saying>
>;

const askCluster = 'see whether its request waits for approval: kubepki csr list';

function sayingsFor({ kubelet, pods }: Observed): Sayings {
  const { config } = kubelet;
  const asksTheCluster = config.status === 'present' && config.value.serverTLSBootstrap.isOn;
  const pod = pods['kube-apiserver'];
  const isVerified =
    pod.status === 'present' && lastFlagValue(pod.value.words, 'kubelet-certificate-authority') !== undefined;
  return {
    silent: {
      grade: 'unchecked',
      message: 'shows no certificate',
      hint: `see whether it runs there, and can be reached from here; with serverTLSBootstrap, ${askCluster}`,
    },
    late: {
      grade: 'unchecked',
      message: 'was not asked, as the time was over',
      hint: 'ask those that matter: kubepki verify --endpoint HOST:10250',
    },
    expired: { grade: 'error', message: 'serves a certificate that has expired', hint: askCluster },
    expiredOwn: {
      grade: isVerified ? 'error' : 'warning',
      message: 'serves a certificate of its own that has expired',
      hint: 'move kubelet.crt and kubelet.key in /var/lib/kubelet/pki away there, and restart the kubelet: it makes new ones',
    },
    own: {
      grade: isVerified ? 'error' : asksTheCluster ? 'warning' : 'note',
      message: 'serves a certificate that it has made for itself, so that nobody can verify it',
      hint: asksTheCluster
        ? 'see whether serverTLSBootstrap is on there: /var/lib/kubelet/config.yaml'
        : 'to have the cluster sign them: serverTLSBootstrap: true, and see kubepki csr approve --help',
    },
    other: {
      grade: isVerified ? 'error' : 'note',
      message: "serves a certificate of another CA than the cluster's",
      hint: 'see to tlsCertFile there: /var/lib/kubelet/config.yaml',
    },
    refused: {
      grade: isVerified || asksTheCluster ? 'error' : 'warning',
      message: 'serves a certificate that a client refuses',
      hint: 'see to the CA first',
    },
  };
}

function judge(
  { node, isReady, shown }: Kubelet,
  { subject: { inventory, now } }: Observed,
  sayings: Sayings,
): Judged[] {
  const say = (saying: Saying, what?: string): Judged[] => [
    { saying, who: what === undefined ? node : `${node} (${what})` },
  ];
  if (shown.status === 'late') return say(sayings.late);
  if (shown.status === 'silent') return say(sayings.silent, isReady ? shown.why : `not Ready; ${shown.why}`);
  const [leaf, ...others] = shown.chain;
  const authority = inventory.authorities.find(({ spec }) => spec.name === 'ca');
  const path =
    authority?.bundle.status === 'present'
      ? validatePath(leaf, others, authority.bundle.value, now)
      : undefined;
  const isOwn = path?.status !== 'trusted' && isMadeByTheKubelet(leaf);
  if (leaf.notAfter.getTime() < now.getTime())
    return say(isOwn ? sayings.expiredOwn : sayings.expired, isoSeconds(leaf.notAfter));
  // Without a CA to judge by, an end is all that can be told.
  if (path === undefined || path.status === 'trusted') return [];
  if (path.status === 'untrusted') return say(sayings.refused, path.reason);
  return say(isOwn ? sayings.own : sayings.other);
}

/** A kubelet signs it with a CA that it makes for this one, `NODE-ca@TIME` (client-go, util/cert, GenerateSelfSignedCertKey). */
export function isMadeByTheKubelet({ issuer, subject }: Certificate): boolean {
  return issuer.equals(subject) || attributesOf(issuer).some((attribute) => /-ca@\d+$/.test(attribute));
}
