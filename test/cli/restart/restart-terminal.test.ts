import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { plane } from '../../support/kubelet/restart.ts';
import { kubepkiLine } from '../../support/kubepki.ts';
import { leavesNoTrace } from '../../support/node.ts';
import { terminal } from '../../support/screen.ts';

describe('a restart on a terminal', () => {
  test('shows what it waits for and how long; Ctrl-C puts the manifest back and leaves a clean screen', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const line = `${kubepkiLine} restart kube-scheduler --settle 100s --stop-timeout 200s --rootfs '${node.tree.directory}'`;
    const shown = terminal(t, line);
    if (shown === undefined) return;
    // What its probe gets: at first an answer, then none.
    await shown.wrote(
      /waiting for kube-scheduler to stop: HTTP 200 at https:\/\/127\.0\.0\.1:\d+\/livez \(\d+s\)|connection refused/,
    );
    await shown.shows(
      /waiting for kube-scheduler to stop: connection refused at https:\/\/127\.0\.0\.1:\d+\/livez \((?:[2-9]|\d\d)s\)/,
    );
    assert.equal(existsSync(join(node.manifestsDir, 'kube-scheduler.yaml')), false);
    shown.type('C-c');
    const after = await shown.shows(/exit=130/);
    assert.doesNotMatch(after, /waiting for/);
    assert.match(
      after,
      /interrupted: kube-scheduler was being stopped; the manifest of kube-scheduler is in its place/,
    );
    assert.ok(shown.cursorIsVisible());
    assert.ok(existsSync(join(node.manifestsDir, 'kube-scheduler.yaml')));
    assert.equal(leavesNoTrace(node.tree), true);
  });

  test('the line is gone when it is done', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const line = `${kubepkiLine} restart kube-scheduler --settle 3s --rootfs '${node.tree.directory}'`;
    const shown = terminal(t, line);
    if (shown === undefined) return;
    await shown.wrote(/waiting for kube-scheduler to stop: .* \(\d+s\)/);
    const after = await shown.shows(/exit=0/);
    assert.doesNotMatch(after, /waiting for/);
    assert.match(after, /^\s*kube-scheduler restarted\nexit=0/);
  });

  test('--quiet says nothing, unless it fails', async (t) => {
    const node = await plane(t);
    if (node === undefined) return;
    const well = await node.begin('restart', 'kube-scheduler', '--settle', '1s', '--quiet').ended;
    assert.deepEqual([well.code, well.stdout, well.stderr], [0, '', '']);
  });
});
