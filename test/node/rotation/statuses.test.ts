import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { openNode, type Node } from '../../../src/node/node-options.ts';
import { nodeName, readRotatedFiles } from '../../../src/node/rotation/rotated-files.ts';
import { readStatuses } from '../../../src/node/rotation/statuses.ts';
import type { NodeStatus } from '../../../src/operations/rotation/status.ts';
import { statusDocument } from '../../../src/render/rotation/status-document.ts';
import { copyFixture } from '../../support/tree.ts';

const unmeasured = { status: 'unmeasured', why: 'it was not asked (--offline)' } as const;

function printedOn(node: string): string {
  const status: NodeStatus = {
    ...{ node, role: 'worker', at: new Date('2026-11-29T12:00:00Z'), rotation: undefined, authorities: [] },
    ...{ running: unmeasured, servers: unmeasured, cluster: unmeasured },
  };
  return statusDocument(status, 'json');
}

interface Given {
  readonly node: Node;
  readonly put: (path: string, text: string) => void;
}

function given(t: TestContext): Given {
  const { directory } = copyFixture(t, 'ipv6');
  mkdirSync(join(directory, 'says/old'), { recursive: true });
  return {
    node: openNode({ rootfs: directory }, { config: undefined, configFrom: 'nobody' }),
    put: (path, text) => {
      writeFileSync(join(directory, path), text);
    },
  };
}

function namesIn(node: Node, ...files: readonly string[]): readonly string[] {
  return readStatuses(node, files).map((one) => one.node);
}

describe('what other nodes have printed', () => {
  test('is in files, and in all that end in .json of a directory', (t) => {
    const { node, put } = given(t);
    put('worker-1.json', printedOn('worker-1'));
    put('says/worker-3.json', printedOn('worker-3'));
    put('says/worker-2.json', printedOn('worker-2'));
    put('says/notes.txt', 'worker-4 is away');
    assert.deepEqual(namesIn(node, '/worker-1.json', '/says'), ['worker-1', 'worker-2', 'worker-3']);
    assert.deepEqual(namesIn(node), []);
  });

  test('counts for nothing where this node has printed it: it measures itself', (t) => {
    const { node, put } = given(t);
    const own = nodeName(readRotatedFiles(node));
    put(`says/${own}.json`, printedOn(own));
    put('says/worker-1.json', printedOn('worker-1'));
    assert.deepEqual(namesIn(node, '/says'), ['worker-1']);
    assert.deepEqual(namesIn(node, `/says/${own}.json`), []);
  });

  test('is not there, or is of a node that has not answered: the file is named', (t) => {
    const { node, put } = given(t);
    assert.throws(() => namesIn(node, '/worker-1.json'), {
      file: /worker-1\.json$/,
      message: /no such file/,
    });
    assert.throws(() => namesIn(node, '/says'), {
      file: /says$/,
      message: /no file in it that ends in \.json/,
    });
    put('says/worker-1.json', '');
    assert.throws(() => namesIn(node, '/says'), { file: /says.worker-1\.json$/, message: /is not JSON/ });
  });
});
