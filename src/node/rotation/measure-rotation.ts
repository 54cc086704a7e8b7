import { join } from 'node:path';
import { certificateAuthorities, kubeletKubeconfig } from '../../catalog/catalog.ts';
import { findAuthority } from '../../inventory/look-ups.ts';
import { NodeFiles } from '../../inventory/node-files.ts';
import { readProcesses } from '../../inventory/processes.ts';
import { changedAt, readKubeletFiles } from '../../inventory/verified-files.ts';
import type { RotatedAuthority } from '../../operations/rotation/plan.ts';
import type { Rotation } from '../../operations/rotation/rotation.ts';
import { fitsOf, reachedBy, type RotationFiles } from '../../operations/rotation/state.ts';
import type {
  AuthorityStatus,
  Measured,
  NodeStatus,
  RunningStatus,
  ServerStatus,
} from '../../operations/rotation/status.ts';
import { kubeletEndpoint } from '../../operations/verification/endpoints.ts';
import type { Observed } from '../../operations/verification/observed.ts';
import { troublesOf, verification } from '../../operations/verification/verification.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { measureCluster, type MeasureOptions } from './measure-cluster.ts';
import { kubeletsOf, measuringOf, serversOf, type Measuring } from './measure-servers.ts';
import type { Node } from '../node-options.ts';
import { observe } from '../observe.ts';
import { isControlPlane, nodeName, readRotatedFiles } from './rotated-files.ts';

const notAsked = { status: 'unmeasured', why: 'it was not asked (--offline)' } as const;

/** Measures all that this node knows of the rotation: its files, what runs here, and what the cluster says. */
export async function measureRotation(
  node: Node,
  rotation: Rotation | undefined,
  options: MeasureOptions,
  at: Date,
  terminal: Terminal,
): Promise<NodeStatus> {
  const files = readRotatedFiles(node);
  const authorities = rotation?.authorities ?? [];
  const isAsked = options.offline !== true && authorities.length > 0;
  const progress = terminal.progress('asking what runs here, and the cluster');
  try {
    const name = nodeName(files);
    const measuring = measuringOf(node, files, authorities, at);
    const [local, cluster] = isAsked
      ? await Promise.all([
          measureLocal(node, files, measuring, at),
          measureCluster(node, files, authorities, options),
        ])
      : [
          { running: notAsked, servers: notAsked },
          { status: notAsked, nodes: [] },
        ];
    const others = isControlPlane(files) ? await kubeletsOf(cluster.nodes, name, measuring) : [];
    return {
      node: name,
      role: isControlPlane(files) ? 'control-plane' : 'worker',
      at,
      rotation: rotation?.plan,
      authorities: authorities.map((authority) => authorityStatus(authority, files)),
      running: local.running,
      servers:
        local.servers.status === 'measured'
          ? { status: 'measured', value: [...local.servers.value, ...others] }
          : local.servers,
      cluster: cluster.status,
    };
  } finally {
    progress.end();
  }
}

function authorityStatus(authority: RotatedAuthority, files: RotationFiles): AuthorityStatus {
  const { name } = authority;
  const found = fitsOf(authority, files);
  const misfits = found.flatMap((one) => ('error' in one ? [one] : []));
  if (misfits.length > 0) {
    const said = misfits.map(({ path, error }) => ({ path, holds: error.message }));
    return { name, reached: 'unclear', first: 'prepare', last: 'prepare', files: said };
  }
  const at = reachedBy(found.flatMap((one) => ('error' in one ? [] : [one])));
  switch (at.kind) {
    case 'at':
      return { name, reached: 'at', first: at.first, last: at.last, files: [] };
    case 'between':
      return {
        name,
        reached: 'between',
        first: at.from,
        last: at.to,
        files: at.behind.map(({ path, holds }) => ({ path, holds })),
      };
    case 'unclear':
      throw new TypeError('fits alone are never unclear');
  }
}

interface Local {
  readonly running: Measured<readonly RunningStatus[]>;
  readonly servers: Measured<readonly ServerStatus[]>;
}

async function measureLocal(
  node: Node,
  files: RotationFiles,
  measuring: Measuring,
  now: Date,
): Promise<Local> {
  const kubelet = kubeletRunning(node, files);
  if (!isControlPlane(files)) {
    return { running: kubelet, servers: await measureWorker(node, files, measuring) };
  }
  const people = { users: [], kubeconfigs: [] };
  const observed = observe(node, { now, withinMs: 0, cis: false, certsOnly: false, people });
  const { observeLive } = await import('../observe-live.ts');
  const live = await observeLive(observed, { isLive: true, given: [] });
  const components = componentsRunning({ ...observed, live });
  const isSeen = live.answers.some(({ endpoint: { name } }) => name === 'kube-apiserver');
  return {
    running:
      components.status === 'unmeasured' || kubelet.status === 'unmeasured'
        ? { status: 'unmeasured', why: whyOf(components) ?? whyOf(kubelet) ?? '' }
        : { status: 'measured', value: [...components.value, ...kubelet.value] },
    // Of no server it cannot be said that each of them is well.
    servers: isSeen
      ? { status: 'measured', value: await serversOf(live, measuring) }
      : { status: 'unmeasured', why: 'no manifest of this node tells of its kube-apiserver' },
  };
}

/** Nothing but its kubelet runs there. */
async function measureWorker(
  { layout }: Node,
  { inventory, keys }: RotationFiles,
  measuring: Measuring,
): Promise<Local['servers']> {
  const { root } = layout;
  const kubelet = readKubeletFiles(layout, new NodeFiles(root, inventory, keys), false);
  const { askAll } = await import('../observe-live.ts');
  const answers = await askAll(kubeletEndpoint(kubelet), root);
  return { status: 'measured', value: await serversOf({ answers }, measuring) };
}

function whyOf(measured: Measured<unknown>): string | undefined {
  return measured.status === 'unmeasured' ? measured.why : undefined;
}

/** As `verify --live` judges it. */
function componentsRunning(observed: Observed): Local['running'] {
  const { live, pods } = observed;
  if (live?.processes === undefined)
    return { status: 'unmeasured', why: 'the processes of another root are not seen here' };
  const troubles = troublesOf(verification(observed)).filter(({ check }) => check === 'live-started');
  const unseen = troubles.find(({ grade }) => grade === 'unchecked');
  if (unseen !== undefined) return { status: 'unmeasured', why: unseen.message };
  const components = Object.entries(pods).flatMap(([name, pod]) => (pod.status === 'present' ? [name] : []));
  return {
    status: 'measured',
    value: live.processes
      .filter(({ component }) => components.includes(component))
      .map(({ component }) => ({
        process: component,
        stale: troubles.filter(({ name }) => name === component).map(({ file }) => file),
      })),
  };
}

/** The kubelet reads its kubeconfig when it starts, and the CAs that it offers to its callers (before 1.36). */
function kubeletRunning({ layout }: Node, { inventory }: RotationFiles): Local['running'] {
  const { root, kubeconfigDir } = layout;
  if (root.directory !== '/')
    return { status: 'unmeasured', why: 'the processes of another root are not seen here' };
  const [kubelet] = readProcesses(new Set(['kubelet']));
  if (kubelet === undefined) return { status: 'unmeasured', why: 'no kubelet is seen to run' };
  const paths = [
    join(kubeconfigDir, kubeletKubeconfig.name),
    ...certificateAuthorities.flatMap(({ name }) =>
      name === 'ca' ? (findAuthority(inventory, name)?.certificatePath ?? []) : [],
    ),
  ];
  const stale = paths.filter(
    (path) => (changedAt(root, path)?.getTime() ?? 0) > kubelet.startedAt.getTime() + 1000,
  );
  return { status: 'measured', value: [{ process: 'kubelet', stale }] };
}
