import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tokenBed, tokenOf, type TokenNode } from '../../support/cluster/token-bed.ts';
import { createPrivateKey } from 'node:crypto';
import type { Outcome } from '../../support/kubepki.ts';

const dayMs = 24 * 3600 * 1000;

async function done(node: TokenNode, ...args: readonly string[]): Promise<Outcome> {
  const outcome = await node.run(...args);
  assert.equal(outcome.code, 0, `${node.name}: ${args.join(' ')}: ${outcome.stderr}`);
  return outcome;
}

async function refused(node: TokenNode, what: RegExp, ...args: readonly string[]): Promise<void> {
  const before = filesOf(node);
  const { code, stderr } = await node.run(...args);
  assert.equal(code, 1, `${node.name}: ${args.join(' ')}`);
  assert.match(stderr, what);
  assert.deepEqual(filesOf(node), before);
}

function filesOf({ tree: { certDir } }: TokenNode): readonly string[] {
  return ['sa.key', 'sa.pub', '.kubepki/token-key/next.key', '.kubepki/token-key/old.key'].map((name) => {
    const path = join(certDir, name);
    return existsSync(path) ? readFileSync(path, 'utf8') : '';
  });
}

function nextKeyOf({ tree }: TokenNode): string {
  return join(tree.certDir, '.kubepki/token-key/next.key');
}

/** Carries the next key over, as an operator does. @returns where it is, as that node has it */
function bring(from: TokenNode, { tree }: TokenNode): string {
  const directory = join(tree.directory, 'root');
  mkdirSync(directory, { recursive: true });
  copyFileSync(nextKeyOf(from), join(directory, 'next.key'));
  return '/root/next.key';
}

/** What `verify` has against a node. */
async function wrongWith(node: TokenNode): Promise<readonly string[]> {
  const { stdout } = await node.run('verify', '--at', '2026-12-01T00:00:00Z');
  return stdout.split('\n').filter((line) => /^(?:ERROR|WARNING|UNCHECKED) /.test(line));
}

describe('three control planes', () => {
  test('get another key, one after the other, and every token is taken everywhere until the last stage', async (t) => {
    const bed = await tokenBed(t, 3);
    if (bed === undefined) return;
    const { nodes, secrets } = bed;
    const [first, ...others] = nodes;
    // What pods hold: each token that was ever signed.
    const held = [first.issue()];
    const legacy = first.issue();
    secrets.push({ name: 'ci-token', token: legacy });
    const allTaken = (): void => {
      held.push(...nodes.map((node) => node.issue()));
      for (const node of nodes) for (const token of held) assert.ok(node.takes(token), node.name);
    };
    const wellEverywhere = async (): Promise<void> => {
      for (const node of nodes) assert.deepEqual(await wrongWith(node), [], node.name);
    };
    allTaken();

    await done(first, 'sa', 'rotate', 'trust');
    // Nobody has read it yet.
    await refused(
      first,
      /^error: api-servers: kube-apiserver at 127\.0\.0\.\d:\d+, .* does not know the next key/,
      'sa',
      'rotate',
      'switch',
    );
    first.restart();
    allTaken();
    await refused(
      others[0] ?? first,
      /^error: one-key: kube-apiserver at \S+ knows a key that this node does not/,
      'sa',
      'rotate',
      'trust',
    );
    await refused(first, /^error: api-servers: /, 'sa', 'rotate', 'switch');
    // With the operator's word as well: it was measured that tokens would be refused.
    await refused(first, /^error: api-servers: /, 'sa', 'rotate', 'switch', '--accept', 'api-servers');
    for (const node of others) {
      const { stderr } = await done(node, 'sa', 'rotate', 'trust', '--key', bring(first, node));
      assert.match(stderr, /its copy is not needed any more: rm /);
      node.restart();
      allTaken();
    }
    await wellEverywhere();

    // One node after the other, in the middle of which the two keys sign side by side.
    for (const node of nodes) {
      const { stderr } = await done(node, 'sa', 'rotate', 'switch');
      assert.match(stderr, /^note: switch: every API server knows the next key \(3\)$/m);
      await refused(
        first,
        /^error: signers: kube-apiserver at \S+.* signs with another key/,
        'sa',
        'rotate',
        'finish',
      );
      node.restart('kube-controller-manager');
      allTaken();
    }
    await wellEverywhere();
    for (const node of nodes) assert.equal(existsSync(nextKeyOf(node)), false);

    await refused(
      first,
      /^error: secrets: 1 Secret holds a token of the old key: default\/ci-token$/m,
      'sa',
      'rotate',
      'finish',
    );
    await refused(first, /^error: refreshed-tokens: .* which is less than a day/m, 'sa', 'rotate', 'finish');
    secrets.pop();
    secrets.push({ name: 'ci-token-2', token: first.issue() });
    for (const node of nodes) {
      node.startedAt = new Date(Date.now() - dayMs - 60_000);
      node.controllerManagerStartedAt = new Date(Date.now() - dayMs);
    }
    await refused(first, /^error: extended-tokens: /, 'sa', 'rotate', 'finish');
    first.staleTokens = 3;
    await refused(
      first,
      /^error: stale-tokens: kube-apiserver at \S+ has been shown/m,
      'sa',
      'rotate',
      'finish',
      '--accept',
      'extended-tokens',
    );
    first.staleTokens = 0;
    const current = first.issue();
    for (const node of nodes) {
      const { stderr } = await done(node, 'sa', 'rotate', 'finish', '--accept', 'extended-tokens');
      assert.match(stderr, /^warning: on your word \(extended-tokens\): /m);
      node.restart();
      assert.ok(nodes.every((one) => one.takes(current)));
    }
    await wellEverywhere();
    assert.ok(nodes.every((node) => !node.takes(legacy)));

    const [old] = held.map((token) => kidOf(token));
    for (const node of nodes) {
      const { stdout } = await done(node, 'sa', 'rotate', 'finish', '--destroy-old-key', old ?? '');
      assert.match(
        stdout,
        new RegExp(`^destroyed the key ${old ?? ''}\n  \\S+/old\\.key\n(?:  backup \\S+\n){3}$`),
      );
      assert.deepEqual(filesOf(node).slice(2), ['', '']);
      const { stdout: now } = await done(node, 'sa', 'rotate');
      assert.match(now, /^stage: none$/m);
    }
    const one = new Set(nodes.map((node) => filesOf(node).join('\n')));
    assert.equal(one.size, 1);
  });

  test('one that has switched goes back, and then on', async (t) => {
    const bed = await tokenBed(t, 2);
    if (bed === undefined) return;
    const [first, second] = bed.nodes;
    assert.ok(second);
    const before = filesOf(first);
    await done(first, 'sa', 'rotate', 'trust');
    const trusting = filesOf(first);
    first.restart();
    await done(second, 'sa', 'rotate', 'trust', '--key', bring(first, second));
    second.restart();
    await done(first, 'sa', 'rotate', 'switch');
    first.restart('kube-controller-manager');
    const token = first.issue();
    await refused(second, /^error: signers: kube-apiserver at \S+ signs with the key/, 'certs', 'rollback');

    const { stderr } = await done(first, 'certs', 'rollback');
    assert.match(stderr, /^note: restart kube-apiserver.* to have the keys read$/m);
    assert.match(stderr, /^note: restart kube-apiserver, kube-controller-manager /m);
    assert.deepEqual(filesOf(first), trusting);
    assert.deepEqual(await wrongWith(first), []);
    first.restart();
    assert.ok(first.takes(token) && second.takes(token));
    assert.ok(second.takes(first.issue()));

    // Now nobody signs with it any more, and the first stage goes back as well.
    await done(first, 'certs', 'rollback');
    assert.deepEqual(filesOf(first), before);
    first.restart();
    await refused(
      first,
      /^error: api-servers: |^error: \S+\/sa\.pub: holds no next key/,
      'sa',
      'rotate',
      'switch',
    );
    // What was taken back is redone by its ID, and then the key is the same again.
    await done(first, 'sa', 'rotate', 'trust', '--key', bring(second, first));
    assert.deepEqual(filesOf(first), trusting);
    first.restart();
    for (const node of bed.nodes) {
      await done(node, 'sa', 'rotate', 'switch');
      node.restart();
    }
    assert.ok(bed.nodes.every((node) => node.takes(token)));
  });
});

describe('sa rotate export', () => {
  test('carries the next key to another node, where only the passphrase opens it', async (t) => {
    const bed = await tokenBed(t, 2);
    if (bed === undefined) return;
    const [first, second] = bed.nodes;
    assert.ok(second);
    for (const [node, text] of [
      [first, 'correct horse battery'],
      [second, 'correct horse battery'],
    ] as const) {
      mkdirSync(join(node.tree.directory, 'root'));
      writeFileSync(join(node.tree.directory, 'root/pass'), `${text}\n`, { mode: 0o600 });
    }
    const secret = ['--passphrase-file', '/root/pass'];
    await refused(
      first,
      /next\.key: no such file: this node has no next key/,
      'sa',
      'rotate',
      'export',
      '/root/x',
    );
    await done(first, 'sa', 'rotate', 'trust');
    first.restart();
    const { stdout } = await done(first, 'sa', 'rotate', 'export', '/root/next.sealed', ...secret);
    assert.match(stdout, /next\.sealed: the next key \S+, sealed$/m);
    const path = join(first.tree.directory, 'root/next.sealed');
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.doesNotMatch(readFileSync(path, 'latin1'), /PRIVATE/);
    copyFileSync(path, join(second.tree.directory, 'root/next.sealed'));
    const trust = ['sa', 'rotate', 'trust', '--key', '/root/next.sealed'];
    await refused(second, /the passphrase of the next key is needed/, ...trust);
    writeFileSync(join(second.tree.directory, 'root/pass'), 'something else it is\n');
    await refused(second, /next\.sealed: cannot be opened: wrong passphrase/, ...trust, ...secret);
    writeFileSync(join(second.tree.directory, 'root/pass'), 'correct horse battery\n');
    await done(second, ...trust, ...secret);
    assert.deepEqual(filesOf(second), filesOf(first));
  });
});

describe('sa status', () => {
  test('shows which key each API server knows and signs with, and whose tokens are of which key', async (t) => {
    const bed = await tokenBed(t, 2);
    if (bed === undefined) return;
    const { nodes, secrets } = bed;
    const [first] = nodes;
    const legacy = first.issue();
    secrets.push({ name: 'ci-token', token: legacy });
    await done(first, 'sa', 'rotate', 'trust');
    first.restart();
    const next = createPrivateKey(readFileSync(nextKeyOf(first)));
    const of = tokenOf(next);
    const { stdout, stderr } = await done(first, 'sa', 'status');
    assert.equal(stderr, '');
    assert.match(stdout, new RegExp(`^${kidOf(legacy)} +signs +1 +1$`, 'm'));
    assert.match(stdout, new RegExp(`^${kidOf(of)} +next +2 +0$`, 'm'));
    assert.match(stdout, /^127\.0\.0\.\d:\d+ +signs, next +signs +\S+Z +0$/m);
    assert.match(stdout, /^127\.0\.0\.\d:\d+ +signs +signs +\S+Z +0$/m);
    assert.match(stdout, /^stage: trust$/m);
    assert.match(stdout, /^ {2}unmet {3}api-servers: /m);
    for (const secret of [legacy, of, first.issue()])
      assert.ok(!stdout.includes(secret.split('.')[2] ?? 'x'));
    const document = JSON.parse((await done(first, 'sa', 'status', '-o', 'json')).stdout) as {
      readonly kind: string;
      readonly stage: string;
      readonly apiServers: readonly { readonly signsWith: string }[];
      readonly secrets: readonly object[];
    };
    assert.deepEqual(
      [document.kind, document.stage, document.apiServers.length],
      ['TokenKeyStatus', 'trust', 2],
    );
    assert.ok(document.apiServers.every(({ signsWith }) => signsWith === kidOf(legacy)));
    assert.deepEqual(document.secrets, [{ namespace: 'default', name: 'ci-token', keyId: kidOf(legacy) }]);
    for (const { method, path } of nodes.flatMap(({ server }) => server.seen)) {
      assert.ok(method === 'GET' || path.endsWith('/serviceaccounts/default/token'), `${method} ${path}`);
    }
    assert.deepEqual(
      nodes.map(({ server }) => server.open()),
      [0, 0],
    );
  });
});

describe('the keys that wait', () => {
  test('are for root alone, and are no certificate of a renewal', async (t) => {
    const bed = await tokenBed(t);
    if (bed === undefined) return;
    const [node] = bed.nodes;
    await done(node, 'sa', 'rotate', 'trust');
    const path = nextKeyOf(node);
    const modes = [path, join(path, '..'), join(path, '../..')].map((one) => statSync(one).mode & 0o777);
    assert.deepEqual(modes, [0o600, 0o700, 0o700]);
    const { code, stderr } = await node.run('certs', 'renew', 'all', '--offline');
    assert.equal(code, 0, stderr);
    assert.equal((await node.run('sa', 'rotate', '--offline')).stdout.split('\n')[0], 'stage: trust');
  });
});

function kidOf(token: string): string {
  const header = Buffer.from(token.split('.')[0] ?? '', 'base64url').toString();
  return (JSON.parse(header) as { readonly kid: string }).kid;
}
