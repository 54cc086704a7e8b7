import { KubepkiError } from '../errors/error.ts';
import { readInventory, type Inventory } from '../inventory/inventory.ts';
import { withKubelet } from '../inventory/kubelet/kubelet-entry.ts';
import { readNodeSigns, readStrangeDirectory, type NodeSigns } from '../inventory/node-signs.ts';
import { readStaticPods, type StaticPods } from '../inventory/kubelet/static-pods.ts';
import { readPlaces, type Places } from '../inventory/places.ts';
import { readPrivateKeys, type PrivateKeys } from '../inventory/private-keys.ts';
import { keysInUse, type KeysInUse } from '../operations/issuing/keys-in-use.ts';
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
 * A node's files as they were read once: all that a change of them is planned with. Keys and places are looked at only when they
 * are asked for, as a command may have to open no key. What is rendered is given the inventory, which holds no key.
 */
export class Snapshot {
  readonly inventory: Inventory;
  #keys: PrivateKeys | undefined;
  #places: Places | undefined;

  constructor(inventory: Inventory) {
    this.inventory = inventory;
  }

  get keys(): PrivateKeys {
    return (this.#keys ??= readPrivateKeys(this.inventory));
  }

  get keysInUse(): KeysInUse {
    return keysInUse(this.inventory, this.keys);
  }

  get places(): Places {
    return (this.#places ??= readPlaces(this.inventory, this.keys));
  }
}

/**
 * What kubeadm manages on a node, as its files are now.
 * @param options.withKubelet the kubelet's certificate is among what is asked for
 * @throws KubepkiError where that is nothing: it is a worker, or another directory than was meant
 */
export function readManaged(
  node: Node,
  { withKubelet: isWithKubelet = false }: { readonly withKubelet?: boolean } = {},
): Snapshot {
  const everything = readInventory(node.layout, node.config?.etcd);
  const signs = readNodeSigns(node.layout);
  const kind = nodeKind(everything, signs);
  if (kind === 'worker' || kind === 'nothing') throw nothingManaged(kind, readStrangeDirectory(node.layout));
  const managed = managedOn(kind, etcdPlace(node, everything, signs), everything);
  return new Snapshot(isWithKubelet ? withKubelet(managed) : managed);
}

/**
 * The same for what brings certificates to their places. The directory may have lost all of them, or not had one yet: only
 * the configuration can say what is not managed there.
 */
export function readToFill({ layout, config }: Node): Snapshot {
  const everything = readInventory(layout, config?.etcd);
  return new Snapshot(managedOn('control-plane', config?.etcd.kind ?? 'stacked', everything));
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
