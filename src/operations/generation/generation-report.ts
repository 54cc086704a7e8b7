import type { CertificateFacts } from '../../changeset/change-set.ts';
import type { InitSpec } from '../../catalog/init-order.ts';
import type { InitFiles } from '../../inventory/init-files.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { factsOf } from '../change/certificate-facts.ts';
import {
  refusedWith,
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
  type NewFacts,
} from '../change/change-report.ts';
import type { GenerationContext } from './generate.ts';
import type { GenerationPlan, PlannedGeneration } from './plan-generation.ts';
import { authorityValidity, validityOf } from '../issuing/validity.ts';

type Lifetimes = Pick<GenerationContext, 'now' | 'validityMs' | 'authorityValidityMs'>;

/** @param all the files of the node, selected or not */
export function generationReport(
  plan: GenerationPlan,
  all: readonly InitFiles[],
  lifetimes: Lifetimes,
  stage: ChangeStage,
): ChangeReport {
  const { planned } = plan;
  return {
    command: 'generate',
    ...stageOf(stage),
    certificates: planned.map((one): CertificateReport => {
      const { spec } = one;
      const common = {
        name: spec.name,
        components: 'components' in spec ? spec.components : [],
        old: all.filter((files) => files.spec === spec).flatMap(factsIn)[0],
      };
      if (one.status !== 'new') return { ...common, outcome: one.status, reason: reasonOf(one) };
      return stage.kind === 'refused'
        ? { ...common, outcome: 'unchanged', reason: refusedWith(planned) }
        : {
            ...common,
            outcome: 'generated',
            new: newFacts(spec, plan, lifetimes, stage),
            files: pathsOf(one.files),
          };
    }),
    otherFiles: [],
  };
}

function reasonOf(planned: Exclude<PlannedGeneration, { status: 'new' }>): string {
  switch (planned.status) {
    case 'existing':
      return 'it is there already';
    case 'keyless':
      return 'it is there already, and its key is elsewhere';
    case 'left-out':
      return 'only the first node has it, and the key of its CA is not here';
    case 'unmanaged':
      return 'etcd is external';
    case 'refused':
      return planned.error.oneLine;
  }
}

function newFacts(
  spec: InitSpec,
  { issuers }: GenerationPlan,
  { now, validityMs, authorityValidityMs }: Lifetimes,
  stage: Exclude<ChangeStage, { kind: 'refused' }>,
): NewFacts | undefined {
  if (stage.kind === 'made') return stage.change.certificates.find(({ name }) => name === spec.name)?.new;
  if (spec.kind === 'service-account') return undefined;
  const authorityEnd = authorityValidity(now, authorityValidityMs).notAfter;
  if (spec.kind === 'ca') return endingOn(authorityEnd);
  const issuer = issuers.get(spec.caName);
  if (issuer !== undefined) return endingOn(validityOf(issuer, now, validityMs).notAfter);
  // The certificate's CA is new as well.
  const end = authorityValidity(now, validityMs).notAfter;
  return endingOn(end < authorityEnd ? end : authorityEnd);
}

function endingOn(notAfter: Date): NewFacts {
  return { serial: undefined, fingerprint: undefined, notAfter: isoSeconds(notAfter) };
}

function factsIn(files: InitFiles): CertificateFacts[] {
  if (files.kind === 'service-account') return [];
  const { content } = files.kind === 'pair' ? files.certificate : files.file;
  if (content.status !== 'present') return [];
  if (!('kubeconfig' in content.value)) return [factsOf(content.value[0])];
  const { certificate } = content.value;
  return certificate.status === 'present' ? [factsOf(certificate.value[0])] : [];
}

function pathsOf(files: InitFiles): string[] {
  switch (files.kind) {
    case 'pair':
      return [files.key.target.path, files.certificate.target.path];
    case 'kubeconfig':
      return [files.file.target.path];
    case 'service-account':
      return [files.key.target.path, files.publicKey.target.path];
  }
}
