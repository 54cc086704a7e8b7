import { sep } from 'node:path';
import { restartOrder, type Component } from '../../catalog/catalog.ts';
import { parseGoDuration } from '../../config/duration.ts';
import { KubepkiError } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import { readKubeletConfig, type KubeletConfig } from '../../inventory/kubelet/kubelet-config.ts';
import type { Reading } from '../../inventory/reading.ts';
import { readStaticPods } from '../../inventory/kubelet/static-pods.ts';
import {
  planRestarts,
  type ComponentRestart,
  type PlannedRestart,
} from '../../operations/restart/plan-restart.ts';
import { requireSafeTargets } from '../../storage/safe-targets.ts';
import type { Node } from '../../node/node-options.ts';
import type { RestartOptions } from './restart-terms.ts';
import { requireComponentNames } from '../../flags/names/unknown-name.ts';
import type { Terminal } from '../../terminal/terminal.ts';

export interface RestartPlan {
  readonly planned: readonly PlannedRestart[];
  readonly settleMs: number;
}

/** @throws KubepkiError usage for a name that is no component of a control plane */
export function parseComponents(names: readonly string[]): readonly Component[] {
  requireComponentNames(names, restartOrder);
  return names.length === 0 ? restartOrder : restartOrder.filter((component) => names.includes(component));
}

/**
 * Reads the manifests, and when the kubelet looks at them. Nothing is touched.
 * @throws KubepkiError no-permission for another user's symlink, conflict where the kubelet looks elsewhere
 * or the component uses the files of another cert dir, usage for times that cannot work
 */
export function planRestartRun(
  node: Node,
  components: readonly Component[],
  options: RestartOptions,
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
  const kubelet = readKubeletConfig(layout.root);
  if (options.manifestsDir === undefined && planned.some(({ status }) => status === 'restartable')) {
    for (const one of planned) if (one.status === 'restartable') requireOwn(node, one.restart);
    requireWatched(node, kubelet);
  }
  const settleMs = options.settle ?? fileCheckMs(kubelet);
  requireTimes(options, settleMs);
  return { planned, settleMs };
}

/** @throws KubepkiError usage */
function requireTimes({ stopTimeout }: RestartOptions, settleMs: number): void {
  if (settleMs < stopTimeout) return;
  throw new KubepkiError('usage', '--stop-timeout must be longer than --settle', {
    hint: 'a manifest stays away for the whole of --settle, so nothing could be seen to stop',
  });
}

// The kubelet's default for fileCheckFrequency, which kubeadm writes as 0s.
const defaultFileCheckMs = 20_000;
// Whatever the manifests found by default say, they are for what is here.
const kubeadmCertDir = '/etc/kubernetes/pki';

function fileCheckMs(kubelet: Reading<KubeletConfig>): number {
  const given = kubelet.status === 'present' ? kubelet.value.fileCheckFrequency : undefined;
  const milliseconds = parseGoDuration(given ?? '0s');
  return typeof milliseconds === 'number' ? Math.max(milliseconds, defaultFileCheckMs) : defaultFileCheckMs;
}

/**
 * Beside a cert dir of one's own choice, a copy or a backup, the manifests found by default may be those of
 * the live cluster, which uses other files: renewing a copy must not stop it. An operator who names the
 * directory knows better.
 */
function requireOwn({ layout }: Node, { component, pod }: ComponentRestart): void {
  const { root, certDir, kubeconfigDir } = layout;
  const own = root.resolve(certDir);
  if (own === root.resolve(root.locate(kubeadmCertDir))) return;
  // These two have a kubeconfig, and perhaps no certificate of the cert dir.
  const client = component === 'kube-controller-manager' || component === 'kube-scheduler';
  const directories = client ? [own, root.resolve(kubeconfigDir)] : [own];
  const used = [...pod.words, ...pod.environment.values()]
    .flatMap((word) => /^(?:--?[^=]+=)?(\/.*)$/s.exec(word)?.[1] ?? [])
    .map((path) => root.resolve(root.locate(path)));
  if (used.some((path) => directories.some((directory) => path.startsWith(directory + sep)))) return;
  throw new KubepkiError('conflict', `names no file in ${certDir}: ${component} uses other certificates`, {
    file: pod.path,
    hint: 'do not restart it for these, or name the manifests of the components that use them: --manifests-dir',
  });
}

/**
 * A kubelet that looks elsewhere would not see that a manifest leaves. An operator who names the directory
 * knows better.
 */
function requireWatched({ layout }: Node, kubelet: Reading<KubeletConfig>): void {
  const { root, manifestsDir } = layout;
  const watched = kubelet.status === 'present' ? kubelet.value.staticPodPath : undefined;
  if (watched === undefined || root.resolve(root.locate(watched)) === root.resolve(manifestsDir)) return;
  throw new KubepkiError('conflict', `is not where the kubelet has its static pods: that is ${watched}`, {
    file: manifestsDir,
    hint: `name the right one: --manifests-dir ${shellWord(watched)}`,
  });
}

/** Before anything is touched. */
export function refuse({ planned }: RestartPlan, terminal: Terminal): boolean {
  const errors = planned.flatMap((one) => (one.status === 'refused' ? [one.error] : []));
  for (const error of errors) terminal.error(error);
  return errors.length > 0;
}
