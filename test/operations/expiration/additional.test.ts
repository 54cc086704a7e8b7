import assert from 'node:assert/strict';
import { appendFileSync, copyFileSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { KubepkiError } from '../../../src/errors/error.ts';
import { withAdditional, type AdditionalResult } from '../../../src/operations/expiration/additional.ts';
import { expiringWithin, findingsOf } from '../../../src/operations/expiration/expiration-report.ts';
import { asOneNode, expiration } from '../../../src/operations/expiration/expiration.ts';
import { givenEndpoint } from '../../../src/operations/verification/endpoints.ts';
import type { Observed } from '../../../src/operations/verification/observed.ts';
import type { Chain } from '../../../src/pki/certificate/certificate.ts';
import { makeCa, resign } from '../../support/certificates/resigned.ts';
import { judge } from '../../support/judge.ts';
import {
  edit,
  moveEtcdElsewhere,
  observed,
  put,
  verifiedNode,
} from '../../support/planners/verified-node.ts';
import { temporaryDirectory, type Tree } from '../../support/tree.ts';

const dayMs = 24 * 3600 * 1000;
const kubeletPki = 'var/lib/kubelet/pki';
const rotated = `${kubeletPki}/kubelet-client-2026-11-28-20-50-00.pem`;

function all(node: Observed): AdditionalResult {
  return withAdditional(expiration(node.subject, node.findings), node);
}

/** The rows, such as `kubelet-client kubelet-client present`. */
function rowsOf({ report }: AdditionalResult): string[] {
  return (report.additional ?? []).map(({ kind, name, status }) => `${kind} ${name} ${status}`);
}

/** What is due within 30 days of the rows that kubeadm has not. */
function dueOf({ report }: AdditionalResult): string[] {
  const rows = { certificates: [], certificateAuthorities: [], unlisted: [], additional: report.additional };
  return expiringWithin(findingsOf({ ...rows, additional: rows.additional ?? [] }), 30 * dayMs).map(
    ({ name }) => name,
  );
}

const onlyKubelet = ['kubelet-client kubelet-client present'];

/** The kubelet's certificate and key, in two files without extension of their own. */
function clientOf(t: TestContext, tree: Tree): string {
  const path = join(temporaryDirectory(t), 'client');
  const pem = readFileSync(join(tree.directory, rotated), 'utf8');
  writeFileSync(`${path}.crt`, pem.slice(0, pem.lastIndexOf('-----BEGIN ')));
  writeFileSync(`${path}.key`, pem.slice(pem.lastIndexOf('-----BEGIN ')));
  return path;
}

describe('beside the rows of kubeadm', () => {
  test("a node as kubeadm leaves it has the kubelet's client certificate, and nothing is wrong with it", (t) => {
    const node = observed(verifiedNode(t));
    const result = all(node);
    assert.deepEqual(rowsOf(result), onlyKubelet);
    const before = expiration(node.subject, node.findings);
    assert.deepEqual(
      { ...result.report, additional: undefined },
      { ...before.report, additional: undefined },
    );
    assert.deepEqual([result.problems, result.findings], [[], []]);
    assert.deepEqual(findingsOf(result.report).faults, []);
  });

  test('one without a kubelet has nothing', (t) => {
    const tree = verifiedNode(t);
    rmSync(join(tree.directory, 'var'), { recursive: true });
    unlinkSync(join(tree.kubeconfigDir, 'kubelet.conf'));
    assert.deepEqual(rowsOf(all(observed(tree))), []);
  });

  test('the result of several trees has the rows of each', (t) => {
    const { report, problems, findings } = all(observed(verifiedNode(t)));
    const trees = ['a', 'b'].map((node) => ({ node, report, problems, findings }));
    const names = asOneNode([...trees, { node: 'c', report: undefined, problems: [], findings: [] }]).report
      .additional;
    assert.deepEqual(
      names?.map(({ name }) => name),
      ['a: kubelet-client', 'b: kubelet-client'],
    );
  });
});

describe("the kubelet's certificates", () => {
  test('kubelet.conf has a row where it holds one', (t) => {
    const tree = verifiedNode(t);
    const data = readFileSync(join(tree.directory, rotated)).toString('base64');
    edit(tree, 'etc/kubernetes/kubelet.conf', (text) =>
      text
        .replace(/client-certificate: \S+/, `client-certificate-data: ${data}`)
        .replace(/client-key: \S+/, `client-key-data: ${data}`),
    );
    const rows = all(observed(tree));
    assert.deepEqual(rowsOf(rows), ['kubelet-conf kubelet.conf present', ...onlyKubelet]);
    assert.deepEqual(rows.findings, []);
    // Nothing renews what it holds.
    assert.deepEqual(dueOf(all(observed(tree, { at: new Date('2027-11-05T00:00:00Z') }))), ['kubelet.conf']);
  });

  test('is late with less than a twentieth of its life, and not with 30 days', (t) => {
    const tree = verifiedNode(t);
    assert.deepEqual(dueOf(all(observed(tree, { at: new Date('2027-11-05T00:00:00Z') }))), []);
    assert.deepEqual(dueOf(all(observed(tree, { at: new Date('2027-11-12T00:00:00Z') }))), [
      'kubelet-client',
    ]);
    const [expired] = findingsOf(
      all(observed(tree, { at: new Date('2027-12-12T00:00:00Z') })).report,
    ).faults.filter(({ name }) => name === 'kubelet-client');
    assert.equal(expired?.kind, 'expired');
  });

  test('counts as any other where the kubelet does not rotate it', (t) => {
    const tree = verifiedNode(t);
    edit(tree, 'var/lib/kubelet/config.yaml', (text) =>
      text.replace('rotateCertificates: true', 'rotateCertificates: false'),
    );
    assert.deepEqual(dueOf(all(observed(tree, { at: new Date('2027-11-05T00:00:00Z') }))), [
      'kubelet-client',
    ]);
  });

  test('is a row where it is gone, and kubelet.conf names it', (t) => {
    const tree = verifiedNode(t);
    unlinkSync(join(tree.directory, rotated));
    const result = all(observed(tree));
    assert.deepEqual(rowsOf(result), ['kubelet-client kubelet-client missing']);
    assert.deepEqual(result.problems, []);
    assert.deepEqual(
      findingsOf(result.report).faults.map(({ kind }) => kind),
      ['missing'],
    );
  });

  test('is a row and an error where it cannot be read, and the others are rows still', (t) => {
    const tree = verifiedNode(t);
    put(tree, rotated, 'nothing');
    put(tree, 'root/.kube/config', readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8'));
    const result = all(observed(tree));
    assert.deepEqual(rowsOf(result), [
      'kubelet-client kubelet-client unreadable',
      'kubeconfig /root/.kube/config present',
    ]);
    assert.deepEqual(
      result.problems.map(({ code }) => code),
      ['bad-pem'],
    );
  });

  test('of another CA it is invalid, and a warning says so', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = verifiedNode(t);
    const stranger = join(temporaryDirectory(t), 'stranger');
    makeCa(openssl, stranger, 'kubernetes');
    const client = clientOf(t, tree);
    resign(openssl, client, { by: stranger });
    put(tree, rotated, readFileSync(`${client}.crt`, 'utf8') + readFileSync(`${client}.key`, 'utf8'));
    const { report, findings } = all(observed(tree, { at: new Date() }));
    assert.deepEqual(
      findings
        .filter(({ name }) => name === 'kubelet-client')
        .map(({ check, severity, hint = '' }) => `${severity} ${check}; ${hint}`),
      ['error foreign; what mends it: kubepki verify --rootfs /node'],
    );
    assert.ok(
      findingsOf(report).faults.some(({ kind, name }) => kind === 'invalid' && name === 'kubelet-client'),
    );
  });

  test('with another key it is invalid, and with no look at keys it is not', (t) => {
    const tree = verifiedNode(t);
    const pem = readFileSync(join(tree.directory, rotated), 'utf8');
    put(
      tree,
      rotated,
      pem.slice(0, pem.lastIndexOf('-----BEGIN ')) +
        readFileSync(join(tree.certDir, 'apiserver.key'), 'utf8'),
    );
    assert.deepEqual(
      all(observed(tree)).findings.map(({ check }) => check),
      ['key-other'],
    );
    assert.deepEqual(all(observed(tree, { certsOnly: true })).findings, []);
  });

  test('what it serves has a row: its own, and one of the cluster, which it rotates', (t) => {
    const tree = verifiedNode(t);
    copyFileSync(join(tree.certDir, 'apiserver.crt'), join(tree.directory, kubeletPki, 'kubelet.crt'));
    const at = new Date('2027-11-05T00:00:00Z');
    assert.deepEqual(rowsOf(all(observed(tree))), [
      ...onlyKubelet,
      'kubelet-serving kubelet-serving present',
    ]);
    assert.deepEqual(dueOf(all(observed(tree, { at }))), ['kubelet-serving']);
    edit(tree, 'var/lib/kubelet/config.yaml', (text) => `${text}serverTLSBootstrap: true\n`);
    copyFileSync(
      join(tree.certDir, 'apiserver.crt'),
      join(tree.directory, kubeletPki, 'kubelet-server-current.pem'),
    );
    const result = all(observed(tree, { at }));
    assert.deepEqual([dueOf(result), result.findings], [[], []]);
    // Of a client's certificate no server can be made.
    copyFileSync(
      join(tree.certDir, 'apiserver-kubelet-client.crt'),
      join(tree.directory, kubeletPki, 'kubelet-server-current.pem'),
    );
    assert.deepEqual(
      all(observed(tree)).findings.map(({ check, name }) => `${check} ${name}`),
      ['usages kubelet-serving', 'nameless kubelet-serving'],
    );
  });
});

describe('an external etcd', () => {
  test('has a row for its client, of which only the manifest tells', (t) => {
    const tree = verifiedNode(t);
    const directory = moveEtcdElsewhere(tree);
    const result = all(observed(tree));
    assert.deepEqual(rowsOf(result), ['etcd-client apiserver-etcd-client present', ...onlyKubelet]);
    assert.deepEqual(result.report.unlisted, []);
    assert.deepEqual(dueOf(all(observed(tree, { at: new Date('2027-11-05T00:00:00Z') }))), [
      'apiserver-etcd-client',
    ]);
    copyFileSync(join(tree.certDir, 'apiserver.key'), join(directory, 'client.key'));
    const [row] = all(observed(tree)).report.additional ?? [];
    assert.deepEqual(row?.status === 'present' && [row.faults, row.externallyManaged], [
      ['belongs to another private key than the one that is there'],
      true,
    ]);
  });
});

describe("people's kubeconfigs", () => {
  test('have rows, those that are there and those that are named', (t) => {
    const tree = verifiedNode(t);
    const admin = readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8');
    put(tree, 'etc/passwd', 'root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n');
    put(tree, 'home/ann/.kube/config', admin);
    put(tree, 'srv/ci.conf', admin);
    const node = observed(tree, {
      users: ['root', 'ann'],
      kubeconfigs: ['/srv/ci.conf', '/srv/gone.conf', '/home/ann/.kube/config'],
    });
    assert.deepEqual(rowsOf(all(node)).slice(1), [
      'kubeconfig /home/ann/.kube/config present',
      'kubeconfig /srv/ci.conf present',
      'kubeconfig /srv/gone.conf missing',
    ]);
    assert.deepEqual(
      all(node).additional.map(({ user }) => user),
      [undefined, 'kubernetes-admin', 'kubernetes-admin', undefined],
    );
  });

  test('with a token have nothing that ends, and one that is none is unreadable', (t) => {
    const tree = verifiedNode(t);
    put(
      tree,
      'srv/token.conf',
      readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8')
        .replace(/client-certificate-data: \S+/, 'token: abc')
        .replace(/ *client-key-data: \S+\n/, ''),
    );
    put(tree, 'root/.kube/config', 'nothing');
    const result = all(observed(tree, { kubeconfigs: ['/srv/token.conf'] }));
    assert.deepEqual(rowsOf(result).slice(1), ['kubeconfig /root/.kube/config unreadable']);
    assert.deepEqual(
      result.problems.map(({ code }) => code),
      ['bad-kubeconfig'],
    );
  });
});

test('a kubeconfig that names a file which is not there is not missing itself', (t) => {
  const tree = verifiedNode(t);
  const admin = readFileSync(join(tree.kubeconfigDir, 'admin.conf'), 'utf8');
  put(
    tree,
    'srv/ci.conf',
    admin.replace(/client-certificate-data: \S+/, 'client-certificate: /srv/gone.pem'),
  );
  edit(tree, 'etc/kubernetes/kubelet.conf', (text) => text.replaceAll('client-current.pem', 'gone.pem'));
  const result = all(observed(tree, { kubeconfigs: ['/srv/ci.conf'] }));
  assert.deepEqual(rowsOf(result), [
    'kubelet-conf kubelet.conf unreadable',
    ...onlyKubelet,
    'kubeconfig /srv/ci.conf unreadable',
  ]);
  assert.deepEqual(
    result.problems.map(({ oneLine }) => oneLine.replaceAll(tree.directory, '')),
    [
      `/etc/kubernetes/kubelet.conf: names /${kubeletPki}/kubelet-gone.pem, which is not there`,
      '/srv/ci.conf: names /srv/gone.pem, which is not there',
    ],
  );
});

describe('the CAs of a bundle', () => {
  test('each have a row besides the one that signs, and one that is there twice has none', (t) => {
    const openssl = judge(t, 'openssl');
    if (openssl === undefined) return;
    const tree = verifiedNode(t);
    const ca = join(tree.certDir, 'ca.crt');
    const old = join(temporaryDirectory(t), 'old');
    makeCa(openssl, old, 'kubernetes');
    const signer = readFileSync(ca);
    writeFileSync(ca, readFileSync(`${old}.crt`));
    appendFileSync(ca, signer);
    appendFileSync(ca, signer);
    assert.deepEqual(rowsOf(all(observed(tree))), [...onlyKubelet, 'ca ca #1 present']);
  });
});

describe('endpoints', () => {
  test('are rows, one that does not answer too, and one that was given twice is one', (t) => {
    const node = observed(verifiedNode(t));
    const leaf = node.subject.inventory.certificates.find(({ spec }) => spec.name === 'apiserver')?.state;
    assert.ok(leaf?.status === 'present' && 'chain' in leaf.value);
    const endpoint = givenEndpoint({ host: '192.0.2.10', port: 443, serverName: undefined }, node);
    const shown = { endpoint, status: 'shown', chain: leaf.value.chain } as const;
    const named = givenEndpoint({ host: 'fd00::1', port: 443, serverName: 'api.example' }, node);
    const silent = { endpoint: named, status: 'silent', why: 'connection refused' } as const;
    const result = all({ ...node, live: { answers: [shown, silent, shown], processes: [] } });
    assert.deepEqual(rowsOf(result).slice(1), [
      'endpoint 192.0.2.10:443 present',
      'endpoint [fd00::1]:443,api.example unreadable',
    ]);
    assert.deepEqual(
      result.problems.map((problem) => problem instanceof KubepkiError && problem.oneLine),
      ['[fd00::1]:443,api.example: shows no certificate: connection refused'],
    );
    assert.deepEqual(result.findings, []);
  });

  test('of another name are invalid, and so are those that a CA of the node has signed for no server', (t) => {
    const node = observed(verifiedNode(t));
    const leafOf = (name: string): Chain => {
      const state = node.subject.inventory.certificates.find(({ spec }) => spec.name === name)?.state;
      assert.ok(state?.status === 'present');
      return state.value.chain;
    };
    const at = (host: string, name: string): Observed => {
      const endpoint = givenEndpoint({ host, port: 443, serverName: undefined }, node);
      const answer = { endpoint, status: 'shown', chain: leafOf(name) } as const;
      return { ...node, live: { answers: [answer], processes: [] } };
    };
    assert.deepEqual(
      all(at('192.0.2.99', 'apiserver')).findings.map(({ message, hint = '' }) => [message, hint]),
      [
        [
          'serves a certificate that has no SAN 192.0.2.99, by which it is called',
          'more of it: kubepki verify --endpoint 192.0.2.99:443 --rootfs /node',
        ],
      ],
    );
    const { report, findings } = all(at('192.0.2.99', 'front-proxy-client'));
    assert.deepEqual(
      findings.map(({ check }) => check),
      ['usages', 'nameless', 'nameless'],
    );
    assert.deepEqual(
      findingsOf(report).faults.map(({ kind, name }) => `${kind} ${name}`),
      ['invalid 192.0.2.99:443'],
    );
  });
});
