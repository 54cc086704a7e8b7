import { readFileSync, statSync } from 'node:fs';

/** How often files are looked at that a component is said to watch: Kubernetes has fsnotify, and looks each minute besides. */
const lookMs = 300;

/**
 * Has the contents of files handed on when they have changed. What `take` throws leaves what was there before: a component keeps
 * the certificates that it has until the files are whole again.
 */
export function watchFiles(
  paths: readonly string[],
  take: (contents: readonly Buffer[]) => void,
  refused: (error: unknown) => void,
): void {
  let last = stampOf(paths);
  setInterval(() => {
    const stamp = stampOf(paths);
    if (stamp === last) return;
    last = stamp;
    try {
      take(paths.map((path) => readFileSync(path)));
    } catch (error) {
      refused(error);
    }
  }, lookMs).unref();
}

/** Changes with every file that is replaced or written. */
function stampOf(paths: readonly string[]): string {
  return paths
    .map((path) => {
      try {
        const { ino, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
        return `${String(ino)} ${String(mtimeNs)} ${String(ctimeNs)}`;
      } catch {
        return 'missing';
      }
    })
    .join('\n');
}
