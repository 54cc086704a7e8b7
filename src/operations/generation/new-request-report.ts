import type { NewRequest } from '../../inventory/new-requests.ts';
import type { CertificateReport, ChangeReport } from '../change/change-report.ts';

/** The report of `generate-csr`, which makes all of the requests or stops. */
export function newRequestReport(
  places: readonly NewRequest[],
  { dryRun, backup }: { readonly dryRun: boolean; readonly backup: string | undefined },
): ChangeReport {
  return {
    command: 'generate-csr',
    dryRun,
    backup,
    certificates: places.map(({ spec, key, request }): CertificateReport => ({
      name: spec.name,
      components: spec.components,
      outcome: 'requested',
      old: undefined,
      new: undefined,
      files: [key.path, request.path],
      csr: request.path,
      expected: request.path.replace(/csr$/, 'crt'),
    })),
    otherFiles: [],
  };
}
