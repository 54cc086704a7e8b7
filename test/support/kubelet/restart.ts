import type { TestContext } from 'node:test';
import { judge } from '../judge.ts';
import { type Outcome } from '../kubepki.ts';
import { startControlPlane, type ControlPlane, type ControlPlaneOptions } from './control-plane.ts';
import { kubepkiInProcess as kubepki } from '../in-process.ts';

/** The stand-in kubelet looks more often than the real one. */
export const quickly = ['--settle', '1s'];

export function restart({ tree }: ControlPlane, ...args: readonly string[]): Promise<Outcome> {
  return kubepki(['restart', '--rootfs', tree.directory, ...args]);
}

/** @returns undefined where a judge is missing, and the test is skipped */
export async function plane(
  t: TestContext,
  options?: ControlPlaneOptions,
): Promise<ControlPlane | undefined> {
  const etcd = judge(t, 'etcd');
  const openssl = judge(t, 'openssl');
  if (etcd === undefined || openssl === undefined) return undefined;
  return startControlPlane(t, { etcd, openssl }, options);
}
