/** What was built from what, for `kubepki version`. */
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';

/**
 * @param root of the checkout
 * @returns the commit, with `-modified` when the tree has been changed since; undefined where there is no checkout
 */
export function commitOf(root) {
  try {
    const git = (...args) =>
      execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    // An unpacked release inside somebody else's checkout is none.
    if (realpathSync(git('rev-parse', '--show-toplevel')) !== realpathSync(root)) return undefined;
    const changed = git('status', '--porcelain', '--untracked-files=no') === '' ? '' : '-modified';
    return `${git('rev-parse', 'HEAD')}${changed}`;
  } catch {
    return undefined;
  }
}

/** @returns seconds since 1970; undefined where there is no checkout */
export function commitTime(root) {
  if (commitOf(root) === undefined) return undefined;
  return Number(execFileSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' }));
}

/** The name and the value that both compilers put in its place, as JavaScript. */
export function commitDefinition(root) {
  return ['__KUBEPKI_COMMIT__', JSON.stringify(commitOf(root) ?? '')];
}
