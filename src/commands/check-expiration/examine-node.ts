import { examine, type Examined, type ExamineOptions } from '../../node/examine.ts';
import type { Node } from '../../node/node-options.ts';

/** @throws KubepkiError where kubeadm manages nothing */
export async function examineNode(node: Node, options: ExamineOptions, now: Date): Promise<Examined> {
  if (options.all !== true) return examine(node, options, now);
  const { examineAll } = await import('../../node/examine-all.ts');
  return examineAll(node, options, now);
}
