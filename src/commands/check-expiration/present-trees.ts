import { asOneNode, type TreeExpiration } from '../../operations/expiration/expiration.ts';
import type { NodeMetrics, RenewRuns } from '../../render/expiration/prometheus.ts';
import type { Forms } from './present-expiration.ts';

/** A tree that has been read, its files forgotten. */
export interface ExaminedTree extends TreeExpiration {
  /** Where they are asked for. */
  readonly metrics: NodeMetrics | undefined;
}

interface Found {
  readonly trees: readonly ExaminedTree[];
  /** What `--textfile` says of `renew`. */
  readonly runs: RenewRuns | undefined;
}

/** Of several trees. */
export const treesForms: Forms<Found> = {
  text: async () => {
    const { treesTable } = await import('../../render/expiration/expiration-table.ts');
    return ({ trees }) => [treesTable(trees)];
  },
  tables: async (look) => {
    const { treesTables } = await import('../../terminal/tables/trees.ts');
    return ({ trees }) => treesTables(trees, look);
  },
  document: async (format) => {
    const { treesDocument } = await import('../../render/expiration/expiration-document.ts');
    return ({ trees }) => [treesDocument(trees, format)];
  },
  info: async () => {
    const { treesInfo } = await import('../../render/expiration/expiration-document.ts');
    return ({ trees }) => treesInfo(trees);
  },
  metrics: async () => {
    const { prometheusTexts } = await import('../../render/expiration/prometheus.ts');
    return ({ trees, runs }) => prometheusTexts(metricsOfTrees(trees), runs);
  },
  oneNode: ({ trees }) => asOneNode(trees),
};

export function metricsOfTrees(trees: readonly ExaminedTree[]): NodeMetrics[] {
  return trees.flatMap(({ metrics }) => (metrics === undefined ? [] : [metrics]));
}
