import type { ExpirationRow, ShownReport, ToldRows } from '../../operations/expiration/expiration-report.ts';
import type { TreeExpiration } from '../../operations/expiration/expiration.ts';
import { documentText, renderDocument, type DocumentFormat } from '../document.ts';
import { additionalInfo, dateOf, secondsOf, toldInfo } from './certificate-info.ts';

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

/** What --all tells beside kubeadm's fields, so that another machine can judge the document by itself. */
export type ToldNode = ToldRows &
  Pick<TreeExpiration, 'problems' | 'findings'> & {
    /** undefined: its files do not tell. */
    readonly node: string | undefined;
    readonly time: Date;
  };

/** `-o json` and `-o yaml` as kubeadm prints them since v1.30: its fields and no others, but for the two that --all adds. */
export function expirationDocument(report: ShownReport, format: DocumentFormat, told?: ToldNode): string {
  // cli-runtime's JSON printer indents by four; sigs.k8s.io/yaml sorts keys, does not indent lists, quotes timestamps.
  return documentText(expirationInfo(report, told), format, true);
}

/** The same document, before it is text. */
export function expirationInfo(report: ShownReport, told?: ToldNode): object {
  return {
    kind: 'CertificateExpirationInfo',
    apiVersion: 'output.kubeadm.k8s.io/v1alpha3',
    certificates: report.certificates.map(certificateInfo),
    certificateAuthorities: report.certificateAuthorities.map(certificateInfo),
    ...(report.additional && { otherCertificates: report.additional.map(additionalInfo) }),
    ...(told && {
      report: {
        ...{ node: told.node ?? null, time: dateOf(told.time) },
        ...foundInfo(told),
        certificates: toldInfo(told),
      },
    }),
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

const kind = 'CertificateExpirationInfoList';

/** kubeadm's document has no field for an unreadable file. */
function foundInfo({ problems, findings }: Pick<TreeExpiration, 'problems' | 'findings'>): object {
  return {
    problems: problems.map(({ oneLine }) => oneLine),
    findings: findings.map(({ name, check, severity, file, message, hint }) => ({
      name,
      check,
      severity,
      file,
      message,
      hint: hint ?? null,
    })),
  };
}

export function treesDocument(trees: readonly TreeExpiration[], format: DocumentFormat): string {
  return renderDocument(kind, { items: trees.map(itemOf) }, format);
}

/** The same document, before it is text. */
export function treesInfo(trees: readonly TreeExpiration[]): object {
  return { kind, apiVersion: 'kubepki/v1', items: trees.map(itemOf) };
}

/** For an unreadable tree there is no document of kubeadm's. */
function itemOf({ node, time, report, told, ...found }: TreeExpiration): object {
  return {
    ...{ node, time: time === undefined ? null : dateOf(time) },
    ...(report === undefined ? {} : { expiration: expirationInfo(report) }),
    ...foundInfo(found),
    ...(told && { certificates: toldInfo(told) }),
  };
}
