import { asOneNode, type TreeExpiration } from '../../operations/expiration/expiration.ts';
import type { NodeMetrics, RenewRuns } from '../../render/expiration/prometheus.ts';
import { thresholdsOf } from '../../flags/expiration-thresholds.ts';
import { templateEvaluator, type PresentOptions, type Shown } from './present-expiration.ts';
import type { Terminal } from '../../terminal/terminal.ts';

/** A tree that has been read, its files forgotten. */
export interface ExaminedTree extends TreeExpiration {
  /** Where they are asked for. */
  readonly metrics: NodeMetrics | undefined;
}

type Present = (trees: readonly ExaminedTree[], runs: RenewRuns | undefined) => Shown;

/**
 * The same for several trees.
 * @throws KubepkiError for a template that is wrong, and for flags that do not go together
 */
export async function treesPresenter(options: PresentOptions, terminal: Terminal): Promise<Present> {
  const thresholds = thresholdsOf(options);
  const { output } = options;
  switch (output.kind) {
    case 'text': {
      const look = terminal.tableLook();
      if (look === undefined) {
        const { treesTable } = await import('../../render/expiration/expiration-table.ts');
        return (trees) => ({ texts: [treesTable(trees)] });
      }
      const { treesTables } = await import('../../terminal/tables/trees.ts');
      return (trees) => ({ texts: treesTables(trees, look) });
    }
    case 'json':
    case 'yaml': {
      const { treesDocument } = await import('../../render/expiration/expiration-document.ts');
      const { kind } = output;
      return (trees) => ({ texts: [treesDocument(trees, kind)] });
    }
    case 'jsonpath': {
      const [evaluate, { treesInfo }] = await Promise.all([
        templateEvaluator(output, options),
        import('../../render/expiration/expiration-document.ts'),
      ]);
      return (trees) => ({ texts: [evaluate(treesInfo(trees))] });
    }
    case 'prometheus': {
      const { prometheusTexts } = await import('../../render/expiration/prometheus.ts');
      return (trees, runs) => ({ texts: prometheusTexts(metricsOfTrees(trees), runs) });
    }
    case 'nagios': {
      const { nagiosResult } = await import('./nagios.ts');
      return (trees) => {
        const { text, code } = nagiosResult(asOneNode(trees), thresholds);
        return { texts: [text], pluginCode: code };
      };
    }
  }
}

export function metricsOfTrees(trees: readonly ExaminedTree[]): NodeMetrics[] {
  return trees.flatMap(({ metrics }) => (metrics === undefined ? [] : [metrics]));
}
