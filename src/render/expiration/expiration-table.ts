import type { KubeadmReport } from '../../operations/expiration/expiration-report.ts';
import { authorityCells, certificateCells, expirationRows } from './expiration-rows.ts';

/** The two tables of `kubeadm certs check-expiration`, byte for byte. */
export function expirationTable(report: KubeadmReport): string {
  const certificates = expirationRows([
    ['CERTIFICATE', 'EXPIRES', 'RESIDUAL TIME', 'CERTIFICATE AUTHORITY', 'EXTERNALLY MANAGED'],
    ...report.certificates.map(certificateCells),
  ]);
  const authorities = expirationRows([
    ['CERTIFICATE AUTHORITY', 'EXPIRES', 'RESIDUAL TIME', 'EXTERNALLY MANAGED'],
    ...report.certificateAuthorities.map(authorityCells),
  ]);
  return `${certificates}\n${authorities}`;
}
