import { factsOf } from '../change/certificate-facts.ts';
import {
  stageOf,
  type CertificateReport,
  type ChangeReport,
  type ChangeStage,
} from '../change/change-report.ts';
import { factsInUse } from '../change/facts-in-use.ts';
import type { Installable } from '../install/plan-install.ts';
import type { CertificateSpec } from '../../catalog/catalog.ts';
import { realChanges } from '../../changeset/change-set.ts';
import type { Inventory } from '../../inventory/inventory.ts';
import { leftOutcome, type Left } from '../renewal/resting.ts';

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
      /** false: the requests were given up, as was asked for. */
      readonly failed: boolean;
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
export type ApiPlanned = { readonly status: 'requestable'; readonly spec: CertificateSpec } | Left;

/** Of `renew --use-api`: the document of `renew`. */
export function apiReport(plan: readonly ApiPlanned[], inventory: Inventory, stage: ApiStage): ChangeReport {
  return {
    command: 'renew',
    ...(stage.kind === 'installed'
      ? stageOf(stage.stage)
      : stage.kind === 'dry-run'
        ? { dryRun: true, failed: false, backup: undefined }
        : { dryRun: stage.dryRun, failed: stage.failed, backup: undefined }),
    certificates: plan.map((planned): CertificateReport => {
      const { spec } = planned;
      const common = { name: spec.name, components: spec.components, old: factsInUse(inventory, spec) };
      return planned.status === 'requestable'
        ? { ...common, ...outcomeOf(spec, stage) }
        : { ...common, ...leftOutcome(planned) };
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
