import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import { KubepkiError } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import type { KubeconfigFile } from '../../inventory/verified-files.ts';
import type { Reading } from '../../inventory/reading.ts';
import type { Certificate, Chain } from '../../pki/certificate/certificate.ts';
import type { Usage } from '../../pki/extension/key-usage.ts';
import type { PrivateKey } from '../../pki/key/private-key.ts';
import { validatePath } from '../../pki/path/path.ts';
import { problemsOf } from '../examination/certificate-checks.ts';
import { inUseOf } from '../examination/examination.ts';
import type { Finding } from '../examination/finding.ts';
import { faultsOf } from '../verification/live.ts';
import { isRotated, isSignedByTheCluster, rotationMarginMs } from '../verification/kubelet.ts';
import type { Observed } from '../verification/observed.ts';
import type { AdditionalKind, AdditionalRow, ExpirationReport, ExpirationRow } from './expiration-report.ts';
import type { ExpirationResult } from './expiration.ts';

/** A row, and the certificate that it is about. */
export interface Additional {
  readonly row: AdditionalRow;
  /** undefined: it is missing or unreadable. */
  readonly certificate: Certificate | undefined;
  /** The kubeconfig's user whose certificate this is; undefined: it is in a file of its own. */
  readonly user: string | undefined;
}

export interface AdditionalResult extends ExpirationResult {
  readonly additional: readonly Additional[];
}

/** One certificate that kubeadm has no row for, with what is said of it. */
interface Found extends Additional {
  readonly problems: readonly KubepkiError[];
  readonly findings: readonly Finding[];
}

/** What there is of a certificate, and what it is judged by. */
interface Subject {
  readonly kind: AdditionalKind;
  readonly name: string;
  readonly file: string;
  readonly certificate: Reading<Chain>;
  readonly user?: string;
  /** The kubelet renews it. */
  readonly isRotated?: boolean;
  /** undefined: it is its dates that count. */
  readonly judged?: {
    readonly usages: readonly Usage[];
    /** Whether the cluster's CA must have signed it. */
    readonly isClusters: boolean;
    /** undefined: it was not looked at. */
    readonly key?: Reading<PrivateKey> | undefined;
  };
}

/** What `check-expiration` says with --all: what it says of kubeadm's certificates, and of all others that were observed. */
export function withAdditional(result: ExpirationResult, observed: Observed): AdditionalResult {
  const { report } = result;
  const found = [
    ...[...kubelets(observed), ...people(observed)].map((one) => foundOf(one, observed)),
    ...bundles(observed),
    ...endpoints(observed),
  ];
  const etcd = report.unlisted.map((row) => ofEtcd(row));
  const rows = [...etcd, ...found.map(({ row }) => row)];
  const all: ExpirationReport = { ...report, unlisted: [], additional: rows };
  return {
    report: all,
    problems: [...result.problems, ...found.flatMap(({ problems }) => problems)],
    findings: [...result.findings, ...found.flatMap(({ findings }) => findings)],
    additional: found,
  };
}

function ofEtcd(row: ExpirationRow): AdditionalRow {
  return { ...row, kind: 'etcd-client', ...(row.status === 'present' && { externallyManaged: true }) };
}

/** kubelet.conf where it does not just name what the kubelet rotates to, that, and what the kubelet serves. */
function kubelets({ kubeconfigs, kubelet, subject }: Observed): Subject[] {
  const { client, serving } = kubelet;
  const file = kubeconfigs.find(({ spec }) => spec === kubeletKubeconfig);
  const held =
    file?.content.status === 'present' ? file.content.value.kubeconfig.clientCertificate : undefined;
  const namesClient =
    held?.kind === 'file' && held.path === subject.inventory.layout.root.display(client.path);
  const clientJudged = { usages: ['clientAuth'], isClusters: true } as const;
  const isClusters = isSignedByTheCluster(kubelet);
  return [
    ...(file === undefined || namesClient
      ? []
      : kubeconfigSubject(file, { kind: 'kubelet-conf', name: kubeletKubeconfig.name }, clientJudged)),
    ...(client.certificate.status === 'missing' && !namesClient
      ? []
      : [
          {
            kind: 'kubelet-client',
            name: 'kubelet-client',
            file: client.path,
            certificate: client.certificate,
            isRotated: isRotated(kubelet),
            judged: { ...clientJudged, key: client.key },
          } as const,
        ]),
    ...(serving.content.status === 'missing'
      ? []
      : [
          {
            kind: 'kubelet-serving',
            name: 'kubelet-serving',
            file: serving.target.path,
            certificate: serving.content,
            isRotated: isClusters,
            // Nobody verifies the one that it makes for itself.
            ...(isClusters && { judged: { usages: ['serverAuth'], isClusters } as const }),
          } as const,
        ]),
  ];
}

function people({ copies, subject }: Observed): Subject[] {
  const { root } = subject.inventory.layout;
  return copies.flatMap((copy) =>
    kubeconfigSubject(copy, { kind: 'kubeconfig', name: root.display(copy.path) }, undefined),
  );
}

/** One whose user has no certificate, but a token or a program, has none that ends. */
function kubeconfigSubject(
  { path, content }: KubeconfigFile,
  named: Pick<Subject, 'kind' | 'name'>,
  judged: Subject['judged'],
): Subject[] {
  const common = { ...named, file: path, ...(judged && { judged }) };
  if (content.status !== 'present') return [{ ...common, certificate: content }];
  const { kubeconfig, certificate } = content.value;
  const { clientCertificate: held, userName: user } = kubeconfig;
  if (held.kind === 'absent') return [];
  // The kubeconfig is there: what is missing is the file that it names.
  if (held.kind === 'file' && certificate.status === 'missing') {
    const error = new KubepkiError('not-found', `names ${held.path}, which is not there`, { file: path });
    return [{ ...common, certificate: { status: 'unreadable', error }, user }];
  }
  return [{ ...common, certificate, user }];
}

function foundOf(
  { kind, name, file, certificate, user, isRotated: rotates = false, judged }: Subject,
  { subject }: Observed,
): Found {
  if (certificate.status !== 'present') {
    return {
      row: { kind, name, file, status: certificate.status },
      certificate: undefined,
      user,
      problems: certificate.status === 'unreadable' ? [certificate.error] : [],
      findings: [],
    };
  }
  const chain = certificate.value;
  const [leaf] = chain;
  const findings = judged === undefined ? [] : findingsOf({ name, file, chain, ...judged }, subject);
  return {
    row: {
      ...present({ kind, name, file }, leaf, subject.now),
      faults: findings.map(({ summary }) => summary),
      ...(rotates && { marginMs: rotationMarginMs(leaf) }),
    },
    certificate: leaf,
    user,
    problems: [],
    findings,
  };
}

function findingsOf(
  {
    name,
    file,
    chain,
    usages,
    isClusters,
    key,
  }: { readonly name: string; readonly file: string; readonly chain: Chain } & NonNullable<Subject['judged']>,
  { inventory, now, command }: Observed['subject'],
): Finding[] {
  const authority = inventory.authorities.find(({ spec }) => spec.name === 'ca');
  const [leaf, ...others] = chain;
  const path =
    isClusters && authority?.bundle.status === 'present'
      ? validatePath(leaf, others, authority.bundle.value, now)
      : undefined;
  const caFile = authority?.certificatePath ?? '';
  return (
    problemsOf({ chain, usages, path, caFile, key, now })
      // Its date tells it.
      .filter(({ check }) => check !== 'expired')
      .map(({ check, message }) => ({
        check,
        severity: 'error',
        name,
        file,
        message,
        summary: message,
        hint: `what mends it: ${command('verify')}`,
      }))
  );
}

/** The certificates of each CA's file besides the one that kubeadm's row is of. One that is there twice counts once. */
function bundles({ subject }: Observed): Found[] {
  return subject.inventory.authorities.flatMap((entry) => {
    const inUse = inUseOf(entry, subject);
    if (inUse === undefined || entry.bundle.status !== 'present') return [];
    const seen = [inUse.der];
    return entry.bundle.value.flatMap((certificate, index): Found[] => {
      if (seen.some((der) => der.equals(certificate.der))) return [];
      seen.push(certificate.der);
      const name = `${entry.spec.name} #${String(index + 1)}`;
      const named = { kind: 'ca', name, file: entry.certificatePath } as const;
      const row = present(named, certificate, subject.now);
      return [{ row, certificate, user: undefined, problems: [], findings: [] }];
    });
  });
}

function endpoints({ live, subject }: Observed): Found[] {
  const found = (live?.answers ?? []).map((answer): Found => {
    const { name: address, host, serverName = host } = answer.endpoint;
    const name = serverName === host ? address : `${address},${serverName}`;
    if (answer.status === 'silent') {
      const error = new KubepkiError('io', `shows no certificate: ${answer.why}`, { file: name });
      const row = { kind: 'endpoint', name, status: 'unreadable' } as const;
      return { row, certificate: undefined, user: undefined, problems: [error], findings: [] };
    }
    const [certificate] = answer.chain;
    const row = present({ kind: 'endpoint', name }, certificate, subject.now);
    // That none of this node's CAs has signed it is no fault of a load balancer's.
    const faults = faultsOf(answer, subject).filter(
      ({ grade, check }) => grade === 'error' && check !== 'expired',
    );
    return {
      row: { ...row, faults: faults.map(({ message }) => message) },
      certificate,
      user: undefined,
      problems: [],
      findings: faults.map(({ check, message }) => ({
        check,
        severity: 'error',
        name,
        file: name,
        message: `serves a certificate that ${message}`,
        summary: message,
        hint: `more of it: ${subject.command(`verify --endpoint ${shellWord(name)}`)}`,
      })),
    };
  });
  // One that was given twice is one.
  return found.filter(({ row }, index) => found.findIndex((one) => one.row.name === row.name) === index);
}

function present(
  named: Pick<AdditionalRow, 'kind' | 'name' | 'file'>,
  { notAfter }: Certificate,
  now: Date,
): Extract<AdditionalRow, { status: 'present' }> {
  return {
    ...named,
    status: 'present',
    notAfter,
    residualMs: notAfter.getTime() - now.getTime(),
    // Not by kubeadm, nor by kubepki.
    externallyManaged: true,
    faults: [],
    refused: false,
  };
}
