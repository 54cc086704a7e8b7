import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { readStaticPods } from '../../../src/inventory/kubelet/static-pods.ts';
import { apiServerPod, writeManifest, writeManifests } from '../../support/manifests.ts';
import { fixtureNode, plannedNode, read } from '../../support/planners/planned-node.ts';
import { fixturePath } from '../../support/tree.ts';

describe('a static pod', () => {
  test('is there, or missing', (t) => {
    const tree = plannedNode(t);
    writeManifests(tree);
    const statuses = (layout: Parameters<typeof readStaticPods>[0]): string[] =>
      Object.values(readStaticPods(layout)).map(({ status }) => status);
    assert.deepEqual(statuses(read(tree).layout), ['present', 'present', 'missing', 'missing']);
    assert.deepEqual(statuses(read(fixtureNode).layout), Array(4).fill('missing'));
  });

  const texts: readonly (readonly [what: string, text: string])[] = [
    ['a bomb of aliases', readFileSync(fixturePath('bad', 'alias-bomb.yaml'), 'utf8')],
    ['no YAML', 'a: ['],
    ['a word', 'x\n'],
    ['nothing', ''],
    ['a list', '- 1\n'],
    ['containers that are none', 'spec: {containers: 7}\n'],
    ['two documents', 'a: 1\n---\nb: 2\n'],
    ['too deep', '['.repeat(200_000)],
    ['too large', 'x'.repeat(2_000_000)],
  ];
  for (const [what, text] of texts) {
    test(`that cannot be used is a value, and the others are read: ${what}`, (t) => {
      const tree = plannedNode(t);
      writeManifests(tree);
      writeManifest(tree, 'kube-apiserver', text);
      const { etcd, 'kube-apiserver': apiServer } = readStaticPods(read(tree).layout);
      assert.equal(etcd.status, 'present');
      assert.equal(apiServer.status, 'unreadable');
      const { file, message } = apiServer.error;
      assert.equal(file, join(tree.kubeconfigDir, 'manifests/kube-apiserver.yaml'));
      assert.ok(message !== '' && !message.endsWith('.'), message);
    });
  }

  test('whose place is taken by a directory', (t) => {
    const tree = plannedNode(t);
    mkdirSync(join(tree.kubeconfigDir, 'manifests/kube-apiserver.yaml'), { recursive: true });
    writeManifest(tree, 'etcd', apiServerPod);
    const pods = readStaticPods(read(tree).layout);
    assert.equal(pods['kube-apiserver'].status, 'unreadable');
    assert.equal(pods['kube-apiserver'].error.message, 'is a directory, not a file');
  });
});
