import { KubepkiError } from '../../errors/error.ts';
import type { Slot } from '../../inventory/reading.ts';

/** @throws KubepkiError why it cannot be read */
export function contentOf<T>({ content }: Slot<T>): T | undefined {
  if (content.status === 'unreadable') throw content.error;
  return content.status === 'present' ? content.value : undefined;
}

/** kubeadm fails as well; it says which half it could not load. */
export function lone(half: Slot<unknown>, other: Slot<unknown>): KubepkiError {
  return new KubepkiError('conflict', `is there without ${other.target.path}`, {
    file: half.target.path,
    hint: 'put the other half in place, or move this one away',
  });
}
