import { isoSeconds } from '../../../pki/der/time.ts';
import type { Look, Trouble } from '../check.ts';
import type { Observed } from '../observed.ts';
import { isMadeByTheKubelet } from './kubelets.ts';
import { counted, listed, lookAtAnswer } from './asked.ts';
import type { Cluster, KubeletRequest } from './cluster.ts';

/**
 * A kubelet waits so long for its certificate, and then makes another request (client-go, util/certificate, certificateWaitTimeout). An
 * approver acts within seconds, so one that is older waits for a person, or for nobody.
 */
const waitsMs = 15 * 60_000;

const serving = 'kubernetes.io/kubelet-serving';

const signers = [
  {
    signerName: serving,
    what: 'serving certificate',
    hint: 'nothing in Kubernetes approves these: kubepki csr list, then kubepki csr approve --help',
  },
  {
    signerName: 'kubernetes.io/kube-apiserver-client-kubelet',
    what: 'client certificate',
    hint: 'kube-controller-manager approves these where the ClusterRoleBindings kubeadm:node-autoapprove-bootstrap and kubeadm:node-autoapprove-certificate-rotation are there: see to these, and to its log',
  },
] as const;

/** A request that nobody approves: sooner or later the kubelet has no certificate. */
export function areDecided(observed: Observed): Look {
  const before = observed.subject.now.getTime() - waitsMs;
  return lookAtAnswer(
    observed,
    'the requests of the kubelets',
    ({ requests }) => requests,
    (requests, cluster): Look => {
      const served = servedSince(cluster);
      return {
        looked: requests.length,
        troubles: signers.flatMap(({ signerName, what, hint }): Trouble[] => {
          const ofSigner = requests.filter((request) => request.signerName === signerName);
          const answered = newestApproved(ofSigner);
          const [oldest, ...others] = ofSigner
            .filter((request) => {
              const { state, username } = request;
              const since = signerName === serving ? served.get(username) : undefined;
              const got = Math.max(answered.get(username) ?? -Infinity, since ?? -Infinity);
              return state === 'pending' && timeOf(request) < before && got < timeOf(request);
            })
            .sort((a, b) => timeOf(a) - timeOf(b));
          if (oldest === undefined) return [];
          const waiting = [oldest, ...others];
          const users = [...new Set(waiting.map(({ username }) => username))];
          return [
            {
              grade: 'warning',
              name: signerName,
              file: counted(waiting.length, 'CertificateSigningRequest'),
              message: `nobody has decided about a ${what}, the oldest since ${isoSeconds(new Date(timeOf(oldest)))}: ${listed(users)}`,
              hint,
            },
          ];
        }),
      };
    },
  );
}

/** One without a time is not called old. */
function timeOf({ createdAt }: KubeletRequest): number {
  return createdAt?.getTime() ?? Infinity;
}

/** A kubelet that asked again, and was approved, has no use for the request before, which stays until it is cleaned away. */
function newestApproved(requests: readonly KubeletRequest[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>();
  for (const request of requests) {
    const { state, username } = request;
    if (state === 'approved') newest.set(username, Math.max(newest.get(username) ?? 0, timeOf(request)));
  }
  return newest;
}

/** An approved request is cleaned away after an hour, one that waits only after a day: what a kubelet serves tells of those. */
function servedSince({ kubelets }: Cluster): ReadonlyMap<string, number> {
  const answered = kubelets.status === 'answered' ? kubelets.value : [];
  return new Map(
    answered.flatMap(({ node, shown }) => {
      const [leaf] = shown.status === 'shown' ? shown.chain : [];
      return leaf === undefined || isMadeByTheKubelet(leaf)
        ? []
        : [[`system:node:${node}`, leaf.notBefore.getTime() + backdatedMs] as const];
    }),
  );
}

/** The signer dates a certificate back by so much. */
const backdatedMs = 5 * 60_000;
