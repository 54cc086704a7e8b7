import { join } from 'node:path';
import { withApi } from '../../cluster/api.ts';
import { holderKinds, readHoldings } from '../../cluster/reference-objects.ts';
import { KubepkiError } from '../../errors/error.ts';
import { readInventory } from '../../inventory/inventory.ts';
import { heldIn, type Sought } from '../../operations/references/held.ts';
import type { OldPods } from '../../operations/references/old-pods.ts';
import type { ObjectHolding, Unread } from '../../operations/references/reference.ts';
import type { Rotation } from '../../operations/rotation/rotation.ts';
import type { clusterFlags, Typed } from '../../flags/table.ts';
import { requireApiAccess } from '../cluster-access.ts';
import type { Node } from '../node-options.ts';
import { readOldPods } from './read-old-pods.ts';

/** All Secrets of a large cluster are hundreds of megabytes; each single answer has a bound of its own. */
const boundMs = 120_000;

export interface ClusterHoldings {
  readonly holdings: readonly ObjectHolding[];
  /** undefined: no CA that pods know is replaced. */
  readonly pods: OldPods | undefined;
  readonly unread: readonly Unread[];
}

/** What holds one of the CAs in the cluster. Never throws for what the API server does not answer: that is told. */
export async function readClusterHoldings(
  node: Node,
  sought: readonly Sought[],
  rotation: Rotation | undefined,
  { kubeconfig }: Typed<(typeof clusterFlags)[number]>,
): Promise<ClusterHoldings> {
  const { root, kubeconfigDir } = node.layout;
  const unread: Unread[] = [];
  const asked = async <T>(what: string, answer: Promise<T>): Promise<T | undefined> => {
    try {
      return await answer;
    } catch (error) {
      unread.push({ what, why: oneLine(error) });
      return undefined;
    }
  };
  try {
    const access = requireApiAccess(root, kubeconfig ?? root.display(join(kubeconfigDir, 'admin.conf')));
    return await withApi(access, AbortSignal.timeout(boundMs), async (ask) => {
      const holdings: ObjectHolding[] = [];
      // One after the other: each may be large.
      for (const kind of holderKinds) {
        const found = await asked(
          `${kind}s`,
          readHoldings(ask, kind, (text) => heldIn(text, sought)),
        );
        holdings.push(...(found ?? []));
      }
      const ca = rotation?.authorities.find(({ name }) => name === 'ca');
      const pods = ca && (await asked('Pods', readOldPods(ask, ca.next, readInventory(node.layout))));
      return { holdings, pods, unread };
    });
  } catch (error) {
    return { holdings: [], pods: undefined, unread: [{ what: 'the cluster', why: oneLine(error) }] };
  }
}

function oneLine(error: unknown): string {
  if (error instanceof KubepkiError) return error.oneLine;
  throw error;
}
