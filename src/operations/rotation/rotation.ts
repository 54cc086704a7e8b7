import type { FileTarget } from '../../changeset/change-set.ts';
import { KubepkiError } from '../../errors/error.ts';
import { fingerprintOf, type Certificate } from '../../pki/certificate/certificate.ts';
import { isIssuedBy } from '../../pki/issue/issuer.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { unfitSigner } from '../../pki/path/path.ts';
import type { RotatedAuthority, RotationPlan } from './plan.ts';

/** The rotation that a node knows of, as its state directory has it. */
export interface Rotation {
  readonly plan: RotationPlan;
  readonly planFile: FileTarget;
  /** In the plan's order. */
  readonly authorities: readonly KeptAuthority[];
}

export interface KeptAuthority extends RotatedAuthority {
  readonly files: { readonly [part in keyof PlannedCertificates]: FileTarget };
  /** Which of the keys lie beside the certificates: the one that is not in the cert dir. Neither was opened. */
  readonly keys: { readonly old: boolean; readonly next: boolean };
}

/** The certificates of a CA that is being replaced, by their fields in the plan. */
export type PlannedCertificates = Pick<RotatedAuthority, 'old' | 'next' | 'cross'>;

/** @throws KubepkiError bad-certificate */
export function requirePlanned(certificate: Certificate, fingerprint: string): void {
  if (fingerprintOf(certificate) === fingerprint) return;
  throw new KubepkiError('bad-certificate', 'is not the certificate that the plan of the rotation names');
}

/**
 * Only the holder of the old CA's key can have made a cross-certificate that passes: so nobody else can have made a plan that names
 * one, for a node that has the old CA already.
 * @throws KubepkiError bad-certificate
 */
export function requireSoundCross({ old, next, cross }: PlannedCertificates): void {
  const isOfNext = cross.subject.equals(next.subject) && isSameKey(cross.publicKey, next.publicKey);
  if (!isOfNext) throw unsound('it does not have the name and the key of the new CA');
  if (!isIssuedBy(cross, old)) throw unsound('it is not signed by the old CA');
  const unfit = unfitSigner(cross) ?? unfitSigner(next);
  if (unfit !== undefined) throw unsound(`it is of a CA ${unfit}`);
}

function unsound(why: string): KubepkiError {
  return new KubepkiError('bad-certificate', `is no cross-certificate of this rotation: ${why}`);
}
