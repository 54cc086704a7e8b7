import type { CaName } from '../../catalog/catalog.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';

/** The stages of a rotation in their order. Any two neighbours work together in one cluster. */
export const stages = ['prepare', 'trust', 'switch', 'distrust', 'finish'] as const;

export type Stage = (typeof stages)[number];

/**
 * What a rotation is about, the same on all nodes. It holds nothing secret and no progress: where a node is, its files say.
 */
export interface RotationPlan {
  /** 16 lower-case hex digits of chance, by which nodes know that they speak of the same rotation. */
  readonly id: string;
  /** RFC 3339, UTC, whole seconds. */
  readonly createdAt: string;
  readonly authorities: readonly PlannedAuthority[];
  /** What the operator has given his word for where it could not be measured. */
  readonly accepted: readonly Accepted[];
}

/** SHA-256 of the DER of each certificate, in upper-case hex. */
export interface PlannedAuthority {
  readonly name: CaName;
  readonly old: string;
  readonly next: string;
  readonly cross: string;
}

export interface Accepted {
  /** The name of the condition. */
  readonly condition: string;
  readonly stage: Stage;
  /** RFC 3339, UTC, whole seconds. */
  readonly time: string;
}

/** A CA that is being replaced: its certificates, each of which the plan names. */
export interface RotatedAuthority {
  readonly name: CaName;
  readonly old: Certificate;
  readonly next: Certificate;
  /** Name and key of `next`, signed by `old`: it stands behind each leaf of `next`, for those that trust `old` alone. */
  readonly cross: Certificate;
}
