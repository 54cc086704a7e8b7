import type { CertificateSpec } from '../../catalog/catalog.ts';
import { realChanges } from '../../changeset/real-changes.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { factsOf } from '../change/certificate-facts.ts';
import {
  refusedWith,
  stageOf,
  type CertificateReport,
  type ChangedCertificate,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';
import { factsInUse } from '../change/facts-in-use.ts';
import type { Installable } from '../install/plan-install.ts';
import type { PlannedRequest } from '../requests/plan-requests.ts';
import type { PlannedRenewal, Renewable } from './plan-renewal.ts';
import { notDue, sameSans, unsound } from './resting.ts';

export function renewalReport(
  plan: readonly PlannedRenewal[],
  inventory: Inventory,
  stage: ChangeStage,
): ChangeReport {
  return {
    command: 'renew',
    ...stageOf(stage),
    certificates: plan.map((planned): CertificateReport => {
      const { name, components } = planned.spec;
      const common = { name, components, old: factsInUse(inventory, planned.spec) };
      switch (planned.status) {
        case 'renewable':
          return stage.kind === 'refused'
            ? { ...common, outcome: 'unchanged', reason: refusedWith(plan) }
            : { ...common, ...renewed(planned.renewable, stage) };
        case 'missing':
          return { ...common, outcome: 'missing', reason: 'there is no certificate to renew' };
        case 'external-ca':
          return {
            ...common,
            outcome: 'external-ca',
            reason: `the key of its CA ${planned.caBaseName} is not here`,
          };
        case 'not-due':
          return {
            ...common,
            outcome: 'not-due',
            reason: notDue(planned.notAfter),
          };
        case 'same-sans':
          return { ...common, outcome: 'same-sans', reason: sameSans };
        case 'ca-ends-first':
          return {
            ...common,
            outcome: 'ca-ends-first',
            reason: `its CA ${planned.end.caFile} ends on ${isoSeconds(planned.end.caNotAfter)}, so a new one would last no longer`,
          };
        case 'unsound':
          return { ...common, outcome: 'unsound', reason: unsound(planned.findings) };
        case 'refused':
          return { ...common, outcome: 'refused', reason: planned.error.oneLine };
      }
    }),
    otherFiles: [],
  };
}

function renewed(
  renewable: Renewable,
  stage: Exclude<ChangeStage, { kind: 'refused' }>,
): Pick<ChangedCertificate, 'outcome' | 'new' | 'files'> {
  const { spec, place, validity } = renewable;
  const planned = {
    serial: undefined,
    fingerprint: undefined,
    notAfter: isoSeconds(validity.notAfter),
  } as const;
  return {
    outcome: 'renewed',
    new:
      stage.kind === 'made' ? stage.change.certificates.find(({ name }) => name === spec.name)?.new : planned,
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
      const { name, components } = planned.spec;
      const common = { name, components, old: factsInUse(inventory, planned.spec) };
      switch (planned.status) {
        case 'requestable': {
          if (refused) return { ...common, outcome: 'unchanged', reason: refusedWith(plan) };
          const { key, request, certificatePath } = planned.requestable.files;
          return {
            ...common,
            outcome: 'requested',
            new: undefined,
            files: [key.path, request.path],
            csr: request.path,
            expected: certificatePath,
          };
        }
        case 'pending':
          return {
            ...common,
            outcome: 'pending',
            reason: 'a request waits already, and was kept as it is',
            csr: planned.files.request.path,
            expected: planned.files.certificatePath,
          };
        case 'missing':
          return { ...common, outcome: 'missing', reason: 'there is no certificate to renew' };
        case 'not-due':
          return { ...common, outcome: 'not-due', reason: notDue(planned.notAfter) };
        case 'unsound':
          return { ...common, outcome: 'unsound', reason: unsound(planned.findings) };
        case 'same-sans':
          return { ...common, outcome: 'same-sans', reason: sameSans };
        case 'refused':
          return { ...common, outcome: 'refused', reason: planned.error.oneLine };
      }
    }),
    otherFiles: refused ? [] : stale.map(({ path }) => path),
  };
}

/** What has been made of what was asked for. */
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
      /**
       * `refused`: never to be; `pending`: its request waits; `unchanged`: given up. A certificate
       * without a reason is unchanged because the others are.
       */
      readonly reasons: ReadonlyMap<
        string,
        { readonly outcome: 'refused' | 'pending' | 'unchanged'; readonly reason: string }
      >;
    };

/** Where nothing had to be asked for, or all is in its place already. */
export const nothingInstalled: ApiStage = {
  kind: 'installed',
  installed: [],
  stage: { kind: 'made', backup: undefined, change: { changes: [], certificates: [] } },
};

/** What was decided of one certificate; for a certificate that will be asked for, only which one it is. */
export type ApiPlanned =
  | { readonly status: 'requestable'; readonly spec: CertificateSpec }
  | Exclude<PlannedRequest, { readonly status: 'requestable' | 'pending' }>;

/** Of `renew --use-api`: the document of `renew`. */
export function apiReport(plan: readonly ApiPlanned[], inventory: Inventory, stage: ApiStage): ChangeReport {
  return {
    command: 'renew',
    ...(stage.kind === 'installed'
      ? stageOf(stage.stage)
      : { dryRun: stage.kind === 'dry-run' || stage.dryRun, backup: undefined }),
    certificates: plan.map((planned): CertificateReport => {
      const { spec } = planned;
      const common = { name: spec.name, components: spec.components, old: factsInUse(inventory, spec) };
      switch (planned.status) {
        case 'requestable':
          return { ...common, ...outcomeOf(spec, stage) };
        case 'missing':
          return { ...common, outcome: 'missing', reason: 'there is no certificate to renew' };
        case 'not-due':
          return { ...common, outcome: 'not-due', reason: notDue(planned.notAfter) };
        case 'unsound':
          return { ...common, outcome: 'unsound', reason: unsound(planned.findings) };
        case 'same-sans':
          return { ...common, outcome: 'same-sans', reason: sameSans };
        case 'refused':
          return { ...common, outcome: 'refused', reason: planned.error.oneLine };
      }
    }),
    otherFiles: [],
  };
}

type Outcome =
  | Pick<Extract<CertificateReport, { files: unknown }>, 'outcome' | 'new' | 'files'>
  | Pick<Extract<CertificateReport, { reason: unknown }>, 'outcome' | 'reason'>;

function outcomeOf(spec: CertificateSpec, stage: ApiStage): Outcome {
  switch (stage.kind) {
    case 'not-made': {
      const others = [...stage.reasons.keys()].join(', ');
      return (
        stage.reasons.get(spec.name) ?? {
          outcome: 'unchanged',
          reason: `nothing of the set was changed, because of ${others}`,
        }
      );
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
