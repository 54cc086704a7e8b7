import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import { realChanges } from '../../changeset/change-set.ts';
import { factsOf } from '../change/certificate-facts.ts';
import {
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';
import type { KubeletCredentials } from './kubelet-certificate.ts';
import type { WorkerPlan } from './plan-worker.ts';

/** The kubelet's certificate that the new CA signs; `credentials` are undefined where it is yet to be asked for. */
export interface ReportedKubelet {
  readonly credentials: KubeletCredentials | undefined;
  /** Host paths of what changes. */
  readonly files: readonly string[];
}

/** A row for the CA, and one for the kubelet's certificate where that changes. What is kept of the rotation stands apart. */
export function workerReport(
  { authority: { old, next }, edits, renewed, stage }: WorkerPlan,
  kubelet: ReportedKubelet | undefined,
  step: ChangeStage,
): ChangeReport {
  const common = { name: 'ca', components: [], old: factsOf(old) };
  if (step.kind === 'refused') {
    const reason = 'nothing was changed, as something stands against it';
    const certificates: CertificateReport[] = [{ ...common, outcome: 'unchanged', reason }];
    return { command: 'ca trust', ...stageOf(step), certificates, otherFiles: [] };
  }
  const files = edits.map(({ target }) => target.path);
  const certificates: CertificateReport[] = [
    files.length === 0
      ? { ...common, outcome: 'unchanged', reason: `its files are at ${stage} already` }
      : { ...common, outcome: 'rotated', new: factsOf(next), files },
    ...(renewed === undefined || kubelet === undefined
      ? []
      : [
          {
            name: kubeletKubeconfig.name,
            components: kubeletKubeconfig.components,
            old: factsOf(renewed.chain[0]),
            outcome: 'renewed' as const,
            new: kubelet.credentials && factsOf(kubelet.credentials.certificate),
            files: kubelet.files.filter((path) => !files.includes(path)),
          },
        ]),
  ];
  const named = new Set(certificates.flatMap((one) => ('files' in one ? one.files : [])));
  const changed = realChanges(step.change.changes).map(({ target }) => target.path);
  return {
    command: 'ca trust',
    ...stageOf(step),
    certificates,
    otherFiles: changed.filter((path) => !named.has(path)),
  };
}
