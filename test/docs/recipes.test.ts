/** The commands of README.md, as they stand there and in that order, run on a copy of a node whose certificates have expired. */
import assert from 'node:assert/strict';
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from '../support/judge.ts';
import { kubepkiLine } from '../support/kubepki.ts';
import { copyFixture, temporaryDirectory } from '../support/tree.ts';
import { readme, shownCommands } from './pages.ts';

const lines = shownCommands(readme()).filter((line) => line.startsWith('kubepki '));

/** The node has expired at the beginning, and nobody signs its requests. All other commands end well. */
const expectedCode = (line: string): number => {
  if (line.startsWith('kubepki verify')) return 5;
  return line.startsWith('kubepki certs install') ? 6 : 0;
};

test('each command of README.md does what it says', (t) => {
  const bash = judge(t, 'bash');
  if (bash === undefined) return;
  assert.ok(lines.length > 20, 'README.md shows fewer commands');
  const tree = copyFixture(t, 'expired-leaf');
  const cwd = temporaryDirectory(t);
  const units = join(cwd, 'units');
  mkdirSync(units);
  mkdirSync(join(tree.directory, 'var/lib/prometheus/node-exporter'), { recursive: true });
  // All that names the node's own files is about the copy.
  const function_ = `kubepki() {
    case "$1 $2 $*" in
      help*|version*|systemd*|*--rootfs*|*ci/pki*) ${kubepkiLine} "$@" ;;
      *) ${kubepkiLine} "$@" --rootfs '${tree.directory}' ;;
    esac
  }`;
  for (const line of lines) {
    // The recipe moves it away.
    if (line.includes('generate kubelet.conf')) rmSync(join(tree.directory, 'etc/kubernetes/kubelet.conf'));
    const here = line
      .replace(/; echo .*$/, '')
      .replaceAll('/backup/*', `'${tree.directory}'`)
      .replaceAll('/etc/systemd/system', `'${units}'`);
    const outcome: SpawnSyncReturns<string> = spawnSync(bash, ['-c', `${function_}\n${here}`], {
      cwd,
      encoding: 'utf8',
    });
    assert.equal(outcome.status, expectedCode(line), `${line}\n${outcome.stderr}`);
  }
});
