import type { Certificate } from '../../pki/certificate/certificate.ts';
import type { Stage } from './plan.ts';

type Der = Pick<Certificate, 'der'>;

/**
 * The certificates of a CA's file, or of a kubeconfig, at a stage. kubeadm signs with the first one of a CA's file, and so the CA that signs
 * comes first; what else is there stays behind.
 */
export function wantedAuthorities<T extends Der>(
  stage: Stage,
  { old, next }: { readonly old: T; readonly next: T },
  found: readonly T[],
): readonly [T, ...T[]] {
  const others = found.filter(({ der }) => !der.equals(old.der) && !der.equals(next.der));
  switch (stage) {
    case 'prepare':
      return [old, ...others];
    case 'trust':
      return [old, next, ...others];
    case 'switch':
      return [next, old, ...others];
    case 'distrust':
    case 'finish':
      return [next, ...others];
  }
}
