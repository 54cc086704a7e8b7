import type { Component } from '../catalog/catalog.ts';
import { restartOrder } from '../catalog/restart-order.ts';
import { parseGoDuration } from '../config/go-duration.ts';
import { KubepkiError } from '../errors/error.ts';
import { readKubeletConfig } from '../inventory/kubelet-config.ts';
import { readStaticPods } from '../inventory/static-pods.ts';
import { planRestarts, type PlannedRestart } from '../operations/plan-restart.ts';
import { requireSafeTargets } from '../storage/safe-targets.ts';
import type { Node } from './node-options.ts';
import { requireTimes, type RestartOptions } from './restart-options.ts';
import type { Terminal } from './terminal.ts';

export interface RestartPlan {
  readonly planned: readonly PlannedRestart[];
  readonly settleMs: number;
}

/** @throws KubepkiError usage for a name that is no component of a control plane */
export function parseComponents(names: readonly string[]): readonly Component[] {
  const unknown = names.find((name) => !restartOrder.some((component) => component === name));
  if (unknown !== undefined) {
    throw new KubepkiError('usage', `unknown component ${JSON.stringify(unknown)}`, {
      hint: `use one of: ${restartOrder.join(', ')}`,
    });
  }
  return names.length === 0 ? restartOrder : restartOrder.filter((component) => names.includes(component));
}

/**
 * Reads the manifests, and when the kubelet looks at them. Nothing is touched.
 * @throws KubepkiError no-permission for somebody else's symlink, usage for times that cannot work
 */
export function planRestartRun(
  node: Node,
  components: readonly Component[],
  options: RestartOptions,
  terminal: Terminal,
): RestartPlan {
  const { layout } = node;
  const planned = planRestarts(
    restartOrder.filter((component) => components.includes(component)),
    readStaticPods(layout),
  );
  requireSafeTargets(
    layout.root,
    planned.flatMap((one) => (one.status === 'restartable' ? [one.restart.pod.target] : [])),
  );
  const kubelet = kubeletTimes(node, terminal);
  requireTimes(options, kubelet);
  return { planned, settleMs: options.settle ?? kubelet };
}

// The kubelet's default for fileCheckFrequency, which kubeadm writes as 0s.
const fileCheckMs = 20_000;

function kubeletTimes({ layout }: Node, terminal: Terminal): number {
  const config = readKubeletConfig(layout.root);
  if (config.status !== 'present') return fileCheckMs;
  const { path, staticPodPath, fileCheckFrequency } = config.value;
  const watched = staticPodPath === undefined ? undefined : layout.root.locate(staticPodPath);
  const { root, manifestsDir } = layout;
  if (watched !== undefined && root.resolve(watched) !== root.resolve(manifestsDir)) {
    terminal.warning(
      `${path}: the kubelet's static pods are in ${watched}, not in ${manifestsDir}: it will not see that a manifest leaves`,
    );
    terminal.hint('name the directory with --manifests-dir');
  }
  return Math.max(parseGoDuration(fileCheckFrequency ?? '0s') ?? 0, fileCheckMs);
}
