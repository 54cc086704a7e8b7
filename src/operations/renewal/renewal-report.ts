import type { Left } from './resting.ts';
import type { CertificateSpec } from '../../catalog/catalog.ts';
import { realChanges } from '../../changeset/change-set.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { factsOf } from '../change/certificate-facts.ts';
import {
  refusedWith,
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';
import { factsInUse } from '../change/facts-in-use.ts';
import type { Installable } from '../install/plan-install.ts';
import type { PlannedRequest } from '../requests/plan-requests.ts';
import type { PlannedRenewal, Renewable } from './plan-renewal.ts';

type Changed = Pick<Extract<CertificateReport, { files: unknown }>, 'outcome' | 'new' | 'files'>;
type Unchanged = Pick<Extract<CertificateReport, { reason: unknown }>, 'outcome' | 'reason'>;

export function renewalReport(
  plan: readonly PlannedRenewal[],
  inventory: Inventory,
  stage: ChangeStage,
  /** Host paths of what changes beside the certificates' own files. */
  otherFiles: readonly string[] = [],
): ChangeReport {
  const made = (renewable: Renewable): Changed | Unchanged =>
    stage.kind === 'refused' ? withOthers(plan) : renewed(renewable, stage);
  return {
    command: 'renew',
    ...stageOf(stage),
    certificates: plan.map((planned): CertificateReport => ({
      ...certificateOf(planned.spec, inventory),
      ...(planned.status === 'renewable' ? made(planned.renewable) : leftAlone(planned)),
    })),
    otherFiles: otherFiles.filter((path) => isChanged(path, stage)),
  };
}

/** What its owner has changed in that very moment is not. */
function isChanged(path: string, stage: ChangeStage): boolean {
  return stage.kind !== 'refused' && stage.change.changes.some(({ target }) => target.path === path);
}

/** What has become, or will, of a certificate that is renewed. */
export function renewed(
  { spec, place, validity }: Renewable,
  stage: Exclude<ChangeStage, { kind: 'refused' }>,
): Changed {
  return {
    outcome: 'renewed',
    new:
      stage.kind === 'made'
        ? stage.change.certificates.find(({ name }) => name === spec.name)?.new
        : { serial: undefined, fingerprint: undefined, notAfter: isoSeconds(validity.notAfter) },
    files: place.changing.map(({ path }) => path),
  };
}

/** The report of `renew --csr-only`: the certificates in use stay. */
export function requestReport(
  plan: readonly PlannedRequest[],
  inventory: Inventory,
  stage: ChangeStage,
): ChangeReport {
  const refused = stage.kind === 'refused';
  const stale = plan.flatMap((one) => (one.status === 'requestable' ? one.requestable.stale : []));
  return {
    command: 'renew --csr-only',
    ...stageOf(stage),
    certificates: plan.map((planned): CertificateReport => {
      const common = certificateOf(planned.spec, inventory);
      switch (planned.status) {
        case 'requestable': {
          if (refused) return { ...common, ...withOthers(plan) };
          const { key, request, certificatePath } = planned.requestable.files;
          const files = [key.path, request.path];
          const waiting = { csr: request.path, expected: certificatePath };
          return { ...common, outcome: 'requested', new: undefined, files, ...waiting };
        }
        case 'pending': {
          const { request, certificatePath } = planned.files;
          const reason = 'a request waits already, and was kept as it is';
          return { ...common, outcome: 'pending', reason, csr: request.path, expected: certificatePath };
        }
        default:
          return { ...common, ...leftAlone(planned) };
      }
    }),
    otherFiles: refused ? [] : stale.map(({ path }) => path),
  };
}

/** What has been made of the requests of `renew --use-api`. */
type ApiStage =
  | { readonly kind: 'installed'; readonly installed: readonly Installable[]; readonly stage: ChangeStage }
  | {
      readonly kind: 'dry-run';
      /** RFC 3339: when a certificate that is issued now would end, if the signer agrees. */
      readonly notAfter: string;
      readonly filesOf: (spec: CertificateSpec) => readonly string[];
    }
  | {
      readonly kind: 'not-made';
      readonly dryRun: boolean;
      /** false: the requests were given up, as was asked for. */
      readonly failed: boolean;
      /**
       * `refused`: a signer will never issue it; `pending`: its request waits; `unchanged`: the run gave it up. A certificate
       * without a reason is unchanged because the others are.
       */
      readonly reasons: ReadonlyMap<
        string,
        { readonly outcome: 'refused' | 'pending' | 'unchanged'; readonly reason: string }
      >;
    };

/** The stage where no certificate had to be asked for, or every one is in its place already. */
export const nothingInstalled: ApiStage = {
  kind: 'installed',
  installed: [],
  stage: { kind: 'made', backup: undefined, change: { changes: [], certificates: [] } },
};

/** The decision about one certificate. Of a certificate that a signer is asked for, the report needs no more than its spec. */
export type ApiPlanned = { readonly status: 'requestable'; readonly spec: CertificateSpec } | Left;

/** The report of `renew --use-api`, which is a report of `renew`. */
export function apiReport(plan: readonly ApiPlanned[], inventory: Inventory, stage: ApiStage): ChangeReport {
  return {
    command: 'renew',
    ...(stage.kind === 'installed'
      ? stageOf(stage.stage)
      : stage.kind === 'dry-run'
        ? { dryRun: true, failed: false, backup: undefined }
        : { dryRun: stage.dryRun, failed: stage.failed, backup: undefined }),
    certificates: plan.map((planned): CertificateReport => ({
      ...certificateOf(planned.spec, inventory),
      ...(planned.status === 'requestable' ? outcomeOf(planned.spec, stage) : leftAlone(planned)),
    })),
    otherFiles: [],
  };
}

function outcomeOf(spec: CertificateSpec, stage: ApiStage): Changed | Unchanged {
  switch (stage.kind) {
    case 'not-made': {
      const others = [...stage.reasons.keys()].join(', ');
      const reason = `nothing of the set was changed, because of ${others}`;
      return stage.reasons.get(spec.name) ?? { outcome: 'unchanged', reason };
    }
    case 'dry-run': {
      const facts = { serial: undefined, fingerprint: undefined, notAfter: stage.notAfter };
      return { outcome: 'renewed', new: facts, files: stage.filesOf(spec) };
    }
    case 'installed': {
      const one = stage.installed.find((installable) => installable.spec === spec);
      if (one === undefined) throw new TypeError('asked for, and not installed');
      const places = new Set(one.place.targets.map(({ resolvedPath }) => resolvedPath));
      const changes = stage.stage.kind === 'refused' ? [] : realChanges(stage.stage.change.changes);
      const own = changes.filter(({ target }) => places.has(target.resolvedPath));
      return {
        outcome: 'renewed',
        new: factsOf(one.chain[0]),
        files: own.map(({ target }) => target.path),
      };
    }
  }
}

function certificateOf(
  spec: CertificateSpec,
  inventory: Inventory,
): Pick<CertificateReport, 'name' | 'components' | 'old'> {
  return { name: spec.name, components: spec.components, old: factsInUse(inventory, spec) };
}

/** A certificate stays as it is because another of its set was refused. */
function withOthers(plan: Parameters<typeof refusedWith>[0]): Unchanged {
  return { outcome: 'unchanged', reason: refusedWith(plan) };
}

/** Why the plan leaves a certificate as it is, however the new one was to be signed. */
function leftAlone(planned: Exclude<PlannedRenewal, { status: 'renewable' }>): Unchanged {
  return { outcome: planned.status, reason: reasonOf(planned) };
}

function reasonOf(planned: Exclude<PlannedRenewal, { status: 'renewable' }>): string {
  switch (planned.status) {
    case 'missing':
      return 'there is no certificate to renew';
    case 'external-ca':
      return `the key of its CA ${planned.caBaseName} is not here`;
    case 'not-due':
      return `ends on ${isoSeconds(planned.notAfter)}, and is not due yet`;
    case 'same-sans':
      return 'its SANs are those asked for, and nothing else was asked for';
    case 'ca-ends-first': {
      const { caFile, caNotAfter } = planned.end;
      return `its CA ${caFile} ends on ${isoSeconds(caNotAfter)}, so a new one would last no longer`;
    }
    case 'unsound':
      return `${planned.findings.map(({ summary }) => summary).join(' and ')}, so it is left alone`;
    case 'refused':
      return planned.error.oneLine;
  }
}
