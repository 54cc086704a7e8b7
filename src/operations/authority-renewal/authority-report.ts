import type { CaSpec } from '../../catalog/catalog.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { factsOf } from '../change/certificate-facts.ts';
import {
  refusedWith,
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
  type Elsewhere,
} from '../change/change-report.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import type { PlannedAuthority } from './plan-authority-renewal.ts';
import type { TrustPlan } from './plan-trust.ts';
import type { ChangedCopy } from './replace-authority.ts';
import type { RenewedAuthorities } from './renew-authorities.ts';

interface RenewalFacts {
  /** The certificates in use, of what is not renewed too. */
  readonly inUse: (spec: CaSpec) => Certificate | undefined;
  /** undefined: nothing was made. */
  readonly made: RenewedAuthorities | undefined;
  readonly elsewhere: readonly Elsewhere[];
}

/** The report of `ca renew`. */
export function authorityRenewalReport(
  plan: readonly PlannedAuthority[],
  { inUse, made, elsewhere }: RenewalFacts,
  stage: ChangeStage,
): ChangeReport {
  return {
    command: 'ca renew',
    ...stageOf(stage),
    certificates: plan.map((planned): CertificateReport => {
      const { spec } = planned;
      const used = inUse(spec);
      const common = { name: spec.name, components: spec.readAtStart, old: used && factsOf(used) };
      if (planned.status !== 'renewable') {
        return { ...common, outcome: planned.status, reason: reasonOf(planned) };
      }
      const { old, notAfter } = planned.renewable;
      const one = made?.renewed.find(({ renewable }) => renewable === planned.renewable);
      if (stage.kind === 'refused' || one === undefined) {
        return { ...common, old: factsOf(old), outcome: 'unchanged', reason: refusedWith(plan) };
      }
      return {
        ...common,
        old: factsOf(old),
        outcome: 'renewed',
        new:
          stage.kind === 'made'
            ? factsOf(one.next)
            : { serial: undefined, fingerprint: undefined, notAfter: isoSeconds(notAfter) },
        files: filesWith(one.next, made?.changed ?? []),
      };
    }),
    otherFiles: [],
    elsewhere,
  };
}

function filesWith({ der }: Certificate, changed: readonly ChangedCopy[]): string[] {
  return changed.flatMap(({ copy, gets }) =>
    gets.some((one) => one.der.equals(der)) ? [copy.target.path] : [],
  );
}

function reasonOf(planned: Exclude<PlannedAuthority, { status: 'renewable' }>): string {
  switch (planned.status) {
    case 'missing':
      return 'there is no certificate to renew';
    case 'external-ca':
      return 'its key is not here';
    case 'unmanaged':
      return 'etcd is external';
    case 'unchanged':
      return `ends on ${isoSeconds(planned.notAfter)}, and a renewed one would no later`;
    case 'refused':
      return planned.error.oneLine;
  }
}

/**
 * The report of `ca trust`.
 * @param hasComponents false: it is a worker
 */
export function trustReport(
  { trusted, changed }: TrustPlan,
  { hasComponents }: { readonly hasComponents: boolean },
  stage: ChangeStage,
): ChangeReport {
  return {
    command: 'ca trust',
    ...stageOf(stage),
    certificates: trusted.map(({ spec, old, next }): CertificateReport => {
      const common = {
        name: spec.name,
        components: hasComponents ? spec.readAtStart : [],
        old: factsOf(old ?? next),
      };
      if (old === undefined) return { ...common, outcome: 'unchanged', reason: 'it is everywhere already' };
      return { ...common, outcome: 'installed', new: factsOf(next), files: filesWith(next, changed) };
    }),
    otherFiles: [],
  };
}
