import type { Certificate, Chain } from '../../pki/certificate/certificate.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { validatePath } from '../../pki/path/path.ts';
import { lookAtEach, nothingHere, type Look, type Trouble } from './check.ts';
import type { Answer, Endpoint, Live, Observed } from './observed.ts';

function addressOf({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

/** A component that cannot be asked may be down, or out of reach from here: nothing is known of it. */
export function answers({ live }: Observed): Look {
  if (live === undefined) return nothingHere;
  return lookAtEach(live.answers, (answer): Trouble[] =>
    answer.status === 'shown'
      ? []
      : [
          {
            grade: 'unchecked',
            name: answer.endpoint.name,
            file: addressOf(answer.endpoint),
            message: `${answer.endpoint.name} shows no certificate: ${answer.why}`,
            hint: 'see whether it runs: crictl ps -a, journalctl -u kubelet',
          },
        ],
  );
}

/** A component goes on with what it read at its start, until it reads it again or is restarted. */
export function servesWhatIsOnDisk({ live }: Observed): Look {
  const judged = shown(live).flatMap(({ endpoint, chain }) =>
    endpoint.disk === undefined ? [] : [{ endpoint, chain, disk: endpoint.disk }],
  );
  return lookAtEach(judged, ({ endpoint, chain: [leaf], disk }): Trouble[] => {
    const [kept] = disk.chain;
    if (leaf.der.equals(kept.der)) return [];
    const isOlder = leaf.issuer.equals(kept.issuer) && leaf.notBefore.getTime() < kept.notBefore.getTime();
    const what = isOlder ? 'an older certificate' : 'another certificate';
    return [
      {
        grade: 'error',
        name: endpoint.name,
        file: disk.path,
        message: `${endpoint.name} at ${addressOf(endpoint)} serves ${what} than this, which ends on ${isoSeconds(leaf.notAfter)}`,
        hint: endpoint.restart && `restart it: ${endpoint.restart}`,
      },
    ];
  });
}

/** What is served must verify as a client would have it, and not end soon. */
export function servesValidCertificates({ live, subject, withinMs }: Observed): Look {
  return lookAtEach(shown(live), ({ endpoint, chain }): Trouble[] => {
    const [leaf] = chain;
    const trouble = (grade: Trouble['grade'], message: string, hint?: string): Trouble => ({
      grade,
      name: endpoint.name,
      file: addressOf(endpoint),
      message: `${endpoint.name} ${message}`,
      hint: hint ?? (endpoint.restart && `restart it: ${endpoint.restart}`),
    });
    const left = leaf.notAfter.getTime() - subject.now.getTime();
    if (left < 0) {
      return [
        trouble(
          // Nobody verifies the certificate that a component makes for itself.
          endpoint.caName === undefined && endpoint.restart !== undefined ? 'warning' : 'error',
          `serves a certificate that expired on ${isoSeconds(leaf.notAfter)}`,
        ),
      ];
    }
    const untrusted = whyUntrusted(leaf, chain, endpoint, subject);
    if (untrusted !== undefined) return [trouble('error', untrusted)];
    if (left <= withinMs && endpoint.disk === undefined && endpoint.restart === undefined)
      return [trouble('warning', `serves a certificate that ends on ${isoSeconds(leaf.notAfter)}`)];
    return [];
  });
}

function whyUntrusted(
  leaf: Certificate,
  [, ...others]: Chain,
  { caName }: Endpoint,
  { inventory, now }: Observed['subject'],
): string | undefined {
  const authority = inventory.authorities.find(({ spec }) => spec.name === caName);
  if (authority?.bundle.status !== 'present') return undefined;
  const path = validatePath(leaf, others, authority.bundle.value, now);
  switch (path.status) {
    case 'trusted':
      return undefined;
    case 'untrusted':
      return `serves a certificate that ${path.reason}`;
    case 'unrelated':
      return `serves a certificate of another CA than ${authority.certificatePath}`;
  }
}

/** What each component reads at its start only (see "Who reloads what" in the pages about CAs). */
const readAtStart: ReadonlySet<string> = new Set([
  'etcd trusted-ca-file',
  'etcd peer-trusted-ca-file',
  'kube-apiserver etcd-cafile',
  'kube-apiserver service-account-key-file',
  'kube-controller-manager root-ca-file',
  'kube-controller-manager kubeconfig',
  'kube-scheduler kubeconfig',
]);

/** The kernel tells the start of this machine in whole seconds. */
const toleranceMs = 2000;

/** The file changed after the process began, so it goes on with what was there before. */
export function startedAfterItsFiles({ subject, live, manifestFiles }: Observed): Look {
  const judged = (live?.processes ?? []).flatMap(({ component, startedAt }) =>
    manifestFiles
      .filter((file) => file.component === component && readAtStart.has(`${component} ${file.flag}`))
      .map((file) => ({ component, startedAt, file })),
  );
  return lookAtEach(judged, ({ component, startedAt, file: { path, pod, field, changedAt } }): Trouble[] =>
    changedAt === undefined || changedAt.getTime() <= startedAt.getTime() + toleranceMs
      ? []
      : [
          {
            grade: 'error',
            name: component,
            file: path ?? pod.path,
            message: `changed on ${isoSeconds(changedAt)}, after ${component} started, which reads it at its start only (${field})`,
            hint: `restart it: ${subject.command(`restart ${component}`)}`,
          },
        ],
  );
}

function shown(live: Live | undefined): Extract<Answer, { status: 'shown' }>[] {
  return (live?.answers ?? []).filter((answer) => answer.status === 'shown');
}
