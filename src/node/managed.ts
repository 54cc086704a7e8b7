import { KubepkiError } from '../errors/error.ts';
import { readInventory, type Inventory } from '../inventory/inventory.ts';
import { readNodeSigns, readStrangeDirectory, type NodeSigns } from '../inventory/node-signs.ts';
import { readStaticPods, type StaticPods } from '../inventory/kubelet/static-pods.ts';
import {
  isEtcdElsewhere,
  lacksStackedEtcd,
  managedOn,
  nodeKind,
  nothingManaged,
  type EtcdPlace,
} from '../operations/node/node-kind.ts';
import { readAsideJournal } from '../storage/aside-journal.ts';
import type { Node } from './node-options.ts';
import { stateOf } from './waiting.ts';

/**
 * What kubeadm manages on a node, as its files are now.
 * @throws KubepkiError where that is nothing: it is a worker, or another directory than was meant
 */
export function requireManaged(node: Node): Inventory {
  const everything = readInventory(node.layout, node.config?.etcd);
  const signs = readNodeSigns(node.layout);
  const kind = nodeKind(everything, signs);
  if (kind === 'worker' || kind === 'nothing') throw nothingManaged(kind, readStrangeDirectory(node.layout));
  return managedOn(kind, etcdPlace(node, everything, signs), everything);
}

/**
 * The same for what brings certificates to their places. The directory may have lost all of them, or not had one yet: only
 * the configuration can say what is not managed there.
 */
export function inventoryToFill({ layout, config }: Node): Inventory {
  return managedOn('control-plane', config?.etcd.kind ?? 'stacked', readInventory(layout, config?.etcd));
}

/** kubeadm's default is a stacked etcd. Its manifests are read only where that may be wrong. */
function etcdPlace(node: Node, everything: Inventory, { ownKubeconfigs }: NodeSigns): EtcdPlace {
  if (node.config !== undefined) return node.config.etcd.kind;
  if (!ownKubeconfigs || !lacksStackedEtcd(everything)) return 'stacked';
  const pods = readPods(node);
  return pods !== undefined && isEtcdElsewhere(pods) ? 'elsewhere' : 'stacked';
}

/** @returns undefined where a restart may have taken one away, and it cannot be told which */
function readPods(node: Node): StaticPods | undefined {
  try {
    return readStaticPods(node.layout, readAsideJournal(stateOf(node)));
  } catch (error) {
    if (!(error instanceof KubepkiError)) throw error;
    return undefined;
  }
}
