import type { NewRequest } from '../../inventory/request-files.ts';
import {
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';

/** The report of `generate-csr`, which makes all of the requests or stops. */
export function newRequestReport(places: readonly NewRequest[], stage: ChangeStage): ChangeReport {
  return {
    command: 'generate-csr',
    ...stageOf(stage),
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
