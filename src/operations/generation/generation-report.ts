import type { CertificateFacts } from '../../changeset/change-set.ts';
import type { InitSpec } from '../../catalog/init-order.ts';
import type { InitFiles } from '../../inventory/init-files.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';
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
import type { GenerationPlan, PlannedGeneration } from './plan-generation.ts';
import { authorityValidity, validityOf } from '../issuing/validity.ts';

interface Lifetimes {
  readonly now: Date;
  readonly validityMs: number;
  readonly authorityValidityMs: number;
}

/** @param all of the node, selected or not */
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
        old: factsIn(all.find((files) => files.spec === spec)),
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

function factsIn(files: InitFiles | undefined): CertificateFacts | undefined {
  const chain = files && chainIn(files);
  return chain && factsOf(chain[0]);
}

function chainIn(files: InitFiles): Chain | undefined {
  switch (files.kind) {
    case 'pair':
      return files.certificate.content.status === 'present' ? files.certificate.content.value : undefined;
    case 'kubeconfig': {
      const { content } = files.file;
      if (content.status !== 'present' || content.value.certificate.status !== 'present') return undefined;
      return content.value.certificate.value;
    }
    case 'service-account':
      return undefined;
  }
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
