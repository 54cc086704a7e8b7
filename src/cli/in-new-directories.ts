import { requireNoDanglingLink } from '../inventory/dangling-links.ts';
import { ensureDirectories } from '../storage/new-directories.ts';
import type { Node } from './node-options.ts';
import { onInterrupt } from './signals.ts';

/**
 * Makes the node's directories before a run that needs them (what is locked must exist); those in which nothing is at the
 * end go again. A dry run makes none.
 * @throws KubepkiError conflict for a link that leads nowhere; no-permission, not-a-file, io
 */
export async function inNewDirectories<T>(
  { layout: { root, certDir, kubeconfigDir } }: Node,
  { dryRun }: { readonly dryRun?: boolean },
  run: () => Promise<T>,
): Promise<T> {
  const directories = [certDir, kubeconfigDir];
  for (const directory of directories) requireNoDanglingLink(root, directory);
  if (dryRun === true) return run();
  const undo = ensureDirectories(
    directories.map((directory) => root.resolve(directory)),
    0o755,
  );
  const forget = onInterrupt(() => {
    undo();
  });
  try {
    return await run();
  } finally {
    forget();
    undo();
  }
}
