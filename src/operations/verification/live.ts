import type { StaticPod } from '../../inventory/kubelet/static-pods.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { findExtension } from '../../pki/extension/extension.ts';
import { parseSubjectAltName } from '../../pki/extension/subject-alt-name.ts';
import { validatePath } from '../../pki/path/path.ts';
import { problemsOf } from '../examination/certificate-checks.ts';
import type { CheckId } from '../examination/finding.ts';
import { covers, nameOf } from '../names/name-uses.ts';
import { bothLooks, lookAtEach, nothingHere, type Look, type Trouble } from './check.ts';
import type { Answer, Endpoint, Live, Observed, ObservedFile, RunningComponent } from './observed.ts';

function addressOf({ host, port }: Endpoint): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

/** The file of what is said of an address is the address. */
function saidOf(endpoint: Endpoint, what: string): string {
  return endpoint.restart === undefined ? what : `${endpoint.name} ${what}`;
}

function howToSee({ name, restart }: Endpoint): string {
  if (restart === undefined)
    return 'see whether it can be reached from here, and whether it speaks TLS there';
  return name === 'kubelet'
    ? 'see whether it runs: systemctl status kubelet'
    : 'see whether it runs: crictl ps -a, journalctl -u kubelet';
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
            message: saidOf(answer.endpoint, `shows no certificate: ${answer.why}`),
            hint: howToSee(answer.endpoint),
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

/** What is served must verify as a client would have it. When it ends is a check of its own. */
export function servesValidCertificates({ live, subject }: Observed): Look {
  return lookAtEach(shown(live), (answer): Trouble[] =>
    faultsOf(answer, subject).map(({ grade, message, hint }) => ({
      grade,
      name: answer.endpoint.name,
      file: addressOf(answer.endpoint),
      message: saidOf(answer.endpoint, `serves a certificate that ${message}`),
      hint: hint ?? (answer.endpoint.restart && `restart it: ${answer.endpoint.restart}`),
    })),
  );
}

/** What is served at an address that was given; the end of what a component serves is its file's. */
export function endsLaterWhereServed({ live, subject, withinMs }: Observed): Look {
  const given = shown(live).filter(({ endpoint }) => endpoint.restart === undefined);
  return lookAtEach(given, ({ endpoint, chain: [{ notAfter }] }): Trouble[] => {
    const left = notAfter.getTime() - subject.now.getTime();
    if (left < 0 || left > withinMs) return [];
    const message = `serves a certificate that ends on ${isoSeconds(notAfter)}`;
    return [{ grade: 'warning', name: endpoint.name, file: addressOf(endpoint), message }];
  });
}

interface Fault extends Pick<Trouble, 'grade' | 'message' | 'hint'> {
  /** What a certificate in a file would fail. */
  readonly check: CheckId;
}

/** What is wrong with what is served, each a predicate of the certificate. */
export function faultsOf({ endpoint, chain }: Shown, { inventory, now }: Observed['subject']): Fault[] {
  const { caName, restart } = endpoint;
  const [leaf, ...others] = chain;
  const errors = (check: CheckId, messages: readonly string[]): Fault[] =>
    messages.map((message) => ({ check, grade: 'error', message }));
  const named = errors('nameless', misnamed(endpoint, leaf));
  // Nobody verifies the certificate that a component makes for itself.
  if (caName === undefined && restart !== undefined)
    return expired(leaf, now).map((message) => ({ check: 'expired', grade: 'warning', message }));
  const judges = inventory.authorities.flatMap(({ spec, bundle, certificatePath: caFile }) =>
    bundle.status === 'present' && (caName ?? spec.name) === spec.name
      ? [{ caFile, path: validatePath(leaf, others, bundle.value, now) }]
      : [],
  );
  const judge =
    judges.find(({ path }) => path.status === 'trusted') ??
    judges.find(({ path }) => path.status === 'untrusted');
  if (caName === undefined && judge === undefined) {
    return [
      ...errors('expired', expired(leaf, now)),
      ...errors('not-yet-valid', notYetValid(leaf, now)),
      ...named,
      {
        check: 'unjudged',
        grade: 'warning',
        message: "none of this node's CAs has signed, so that it is not known who trusts it",
        hint: 'look at what answers there; it is right where its clients trust another CA',
      },
    ];
  }
  const { caFile, path } = judge ?? judges[0] ?? { caFile: '', path: undefined };
  const problems = problemsOf({ chain, usages: ['serverAuth'], path, caFile, key: undefined, now });
  // Go: a certificate that says nothing of usages has all of them.
  const isForAll = findExtension(leaf.extensions, 'extendedKeyUsage') === undefined;
  return [
    ...problems
      .filter(({ check }) => !(isForAll && check === 'usages'))
      .flatMap(({ check, message }) => errors(check, [message])),
    ...named,
  ];
}

function expired({ notAfter }: Certificate, now: Date): string[] {
  return notAfter.getTime() < now.getTime() ? [`expired on ${isoSeconds(notAfter)}`] : [];
}

function notYetValid({ notBefore }: Certificate, now: Date): string[] {
  return notBefore.getTime() > now.getTime() ? [`is not valid before ${isoSeconds(notBefore)}`] : [];
}

function misnamed({ serverName }: Endpoint, { extensions }: Certificate): string[] {
  const sans = parseSubjectAltName(findExtension(extensions, 'subjectAltName'));
  return serverName === undefined || sans.some((san) => covers(san, nameOf(serverName)))
    ? []
    : [`has no SAN ${serverName}, by which it is called`];
}

/** What each component reads at its start only (see "Who reloads what" in the pages about CAs). */
const readAtStart: ReadonlySet<string> = new Set([
  'etcd trusted-ca-file',
  'etcd peer-trusted-ca-file',
  'kube-apiserver etcd-cafile',
  'kube-apiserver service-account-key-file',
  'kube-apiserver service-account-signing-key-file',
  'kube-controller-manager root-ca-file',
  'kube-controller-manager service-account-private-key-file',
  'kube-controller-manager kubeconfig',
  'kube-scheduler kubeconfig',
]);

/** The kernel tells the start of this machine in whole seconds. */
export const toleranceMs = 2000;

/** The file changed after the process began, so it goes on with what was there before. */
export function startedAfterItsFiles(observed: Observed): Look {
  const { subject, live, manifestFiles } = observed;
  if (live?.processes === undefined) return nothingHere;
  const judged = live.processes.flatMap((process) =>
    filesReadAtStart(process, manifestFiles).map((file) => ({ process, file })),
  );
  const unseen: Look = { looked: 0, troubles: unseenProcesses(observed, live.processes) };
  const seen = lookAtEach(judged, ({ process, file: { path, fields, changedAt } }): Trouble[] =>
    changedAt === undefined || changedAt.getTime() <= process.startedAt.getTime() + toleranceMs
      ? []
      : [
          {
            grade: 'error',
            name: process.component,
            file: path,
            message: `changed on ${isoSeconds(changedAt)}, after ${process.component} started, which reads it at its start only (${fields.join(', ')})`,
            hint: `restart it: ${subject.command(`restart ${process.component}`)}`,
          },
        ],
  );
  return bothLooks(seen, unseen);
}

/** What answers runs, and yet its process may be hidden from here, or have other words than its manifest. */
function unseenProcesses({ live, pods }: Observed, processes: readonly RunningComponent[]): Trouble[] {
  const answering = new Set(shown(live).map(({ endpoint: { name } }) => name));
  return Object.entries(pods).flatMap(([component, pod]): Trouble[] =>
    pod.status !== 'present' ||
    !answering.has(component) ||
    processes.some((process) => process.component === component && isOf(pod.value, process))
      ? []
      : [
          {
            grade: 'unchecked',
            name: component,
            file: pod.value.path,
            message: `${component} answers, and no process with these words is seen, so that it is not known when it started`,
            hint: `run it as root, outside of containers, and see what runs: ps -o lstart,args -C ${component}`,
          },
        ],
  );
}

interface FileReadAtStart {
  readonly path: string;
  /** All the flags that name it. */
  readonly fields: readonly string[];
  readonly changedAt: Date | undefined;
}

function filesReadAtStart(process: RunningComponent, files: readonly ObservedFile[]): FileReadAtStart[] {
  const own = files.filter(
    ({ component, flag, pod }) =>
      component === process.component && readAtStart.has(`${component} ${flag}`) && isOf(pod, process),
  );
  return [...new Set(own.flatMap(({ path }) => path ?? []))].map((path) => {
    const same = own.filter((file) => file.path === path);
    return { path, fields: same.map(({ field }) => field), changedAt: same[0]?.changedAt };
  });
}

/**
 * Another cluster on this machine, in containers, has processes by the same names: this node's was started by its manifest, in which
 * the kubelet fills in variables.
 */
function isOf({ words: [, ...words] }: StaticPod, process: RunningComponent): boolean {
  return words.every((word) => word.includes('$(') || process.words.includes(word));
}

type Shown = Extract<Answer, { status: 'shown' }>;

function shown(live: Live | undefined): Shown[] {
  return (live?.answers ?? []).filter((answer) => answer.status === 'shown');
}
