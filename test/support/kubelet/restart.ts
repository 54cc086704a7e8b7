import { kubepki, type Outcome } from '../kubepki.ts';
import type { ControlPlane } from './control-plane.ts';

/** The stand-in kubelet looks more often than the real one. */
export const quickly = ['--settle', '1s'];

export function restart({ tree }: ControlPlane, ...args: readonly string[]): Promise<Outcome> {
  return kubepki(['restart', '--rootfs', tree.directory, ...args]);
}
