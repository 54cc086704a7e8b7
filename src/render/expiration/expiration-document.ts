import type {
  AdditionalRow,
  ShownReport,
  ExpirationRow,
} from '../../operations/expiration/expiration-report.ts';
import type { TreeExpiration } from '../../operations/expiration/expiration.ts';
import { documentText, renderDocument, type DocumentFormat } from '../document.ts';

/** kubeadm's output.kubeadm.k8s.io/v1alpha3 Certificate; the order of the keys is Go's. */
interface CertificateInfo {
  readonly name: string;
  readonly expirationDate: string | null;
  /** Whole seconds, cut off; negative when it has expired. */
  readonly residualTime: number;
  readonly externallyManaged: boolean;
  readonly caName?: string;
  readonly missing: boolean;
}

/** `-o json` and `-o yaml` as kubeadm prints them since v1.30: its fields and no others, but for the list that --all adds. */
export function expirationDocument(report: ShownReport, format: DocumentFormat): string {
  // cli-runtime's JSON printer indents by four; sigs.k8s.io/yaml sorts keys, does not indent lists, quotes timestamps.
  return documentText(expirationInfo(report), format, true);
}

/** The same document, before it is text. */
export function expirationInfo(report: ShownReport): object {
  return {
    kind: 'CertificateExpirationInfo',
    apiVersion: 'output.kubeadm.k8s.io/v1alpha3',
    certificates: report.certificates.map(certificateInfo),
    certificateAuthorities: report.certificateAuthorities.map(certificateInfo),
    ...(report.additional && { otherCertificates: report.additional.map(additionalInfo) }),
  };
}

/** Ours, so that it can say what kubeadm's has no field for. */
function additionalInfo(row: AdditionalRow): object {
  const isPresent = row.status === 'present';
  return {
    name: row.name,
    kind: row.kind,
    file: row.file ?? null,
    status: row.status,
    expirationDate: isPresent ? dateOf(row.notAfter) : null,
    residualTime: isPresent ? secondsOf(row.residualMs) : 0,
    renewsItself: isPresent && row.marginMs !== undefined,
    faults: isPresent ? row.faults : [],
  };
}

function certificateInfo(row: ExpirationRow): CertificateInfo {
  if (row.status !== 'present') {
    // metav1.Time prints its zero value as null. There is no field for "unreadable": stderr and the exit code say it.
    return {
      name: row.name,
      expirationDate: null,
      residualTime: 0,
      externallyManaged: false,
      missing: row.status === 'missing',
    };
  }
  return {
    name: row.name,
    expirationDate: dateOf(row.notAfter),
    residualTime: secondsOf(row.residualMs),
    externallyManaged: row.externallyManaged,
    ...(row.caName === undefined ? {} : { caName: row.caName }),
    missing: false,
  };
}

function dateOf(moment: Date): string {
  return moment.toISOString().replace(/\.\d{3}Z$/, 'Z');
}

function secondsOf(milliseconds: number): number {
  // `+ 0` turns the negative zero of Math.trunc(-0.5) into 0.
  return Math.trunc(milliseconds / 1000) + 0;
}

const kind = 'CertificateExpirationInfoList';

export function treesDocument(trees: readonly TreeExpiration[], format: DocumentFormat): string {
  return renderDocument(kind, { items: trees.map(itemOf) }, format);
}

/** The same document, before it is text. */
export function treesInfo(trees: readonly TreeExpiration[]): object {
  return { kind, apiVersion: 'kubepki/v1', items: trees.map(itemOf) };
}

/** kubeadm's document has no field for an unreadable file. For an unreadable tree there is no document of kubeadm's. */
function itemOf({ node, report, problems, findings }: TreeExpiration): object {
  return {
    node,
    ...(report === undefined ? {} : { expiration: expirationInfo(report) }),
    problems: problems.map(({ oneLine }) => oneLine),
    findings: findings.map(({ name, check, severity, file, message }) => ({
      name,
      check,
      severity,
      file,
      message,
    })),
  };
}
