import type { KubeadmReport } from '../../operations/expiration/expiration-report.ts';
import { authorityLine, certificateLine, expirationRows } from './expiration-rows.ts';

/** The two tables of `kubeadm certs check-expiration`, byte for byte. */
export function expirationTable(report: KubeadmReport, style: { readonly colour: boolean }): string {
  const certificates = expirationRows(
    ['CERTIFICATE', 'EXPIRES', 'RESIDUAL TIME', 'CERTIFICATE AUTHORITY', 'EXTERNALLY MANAGED'],
    report.certificates.map(certificateLine),
    style,
  );
  const authorities = expirationRows(
    ['CERTIFICATE AUTHORITY', 'EXPIRES', 'RESIDUAL TIME', 'EXTERNALLY MANAGED'],
    report.certificateAuthorities.map(authorityLine),
    style,
  );
  return `${certificates}\n${authorities}`;
}
