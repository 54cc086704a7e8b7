import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { certificatesIn } from './components/pem.ts';
import type { ClusterNode } from './node.ts';

const client = 'sslclient';
const server = 'sslserver';

const leaves: readonly (readonly [base: string, ca: string, ...purposes: readonly string[]])[] = [
  ['apiserver', 'ca', server],
  ['apiserver-kubelet-client', 'ca', client],
  ['apiserver-etcd-client', 'etcd/ca', client],
  ['etcd/server', 'etcd/ca', server, client],
  ['etcd/peer', 'etcd/ca', server, client],
  ['etcd/healthcheck-client', 'etcd/ca', client],
  ['front-proxy-client', 'front-proxy-ca', client],
];

const kubeconfigs = ['admin.conf', 'controller-manager.conf', 'scheduler.conf', 'kubelet.conf'];

/**
 * What openssl says of every certificate of a control plane when a rotation is over: it leads to the CA in the CA's file, which holds no
 * other, with nothing between; and its key is its own.
 * @returns a line for each file
 */
export function opensslWord(openssl: string, node: ClusterNode, scratch: string): readonly string[] {
  const file = (name: string, content: Buffer): string => {
    const path = join(scratch, name);
    writeFileSync(path, content, { mode: 0o600 });
    return path;
  };
  const said = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync(openssl, args, { encoding: 'utf8' });
    assert.equal(status, 0, `${node.name}: openssl ${args.join(' ')}\n${stdout}${stderr}`);
    return stdout.trim();
  };
  const judged = (
    name: string,
    pair: { readonly ca: Buffer; readonly certificate: Buffer; readonly key: Buffer },
    purposes: readonly string[],
  ): string => {
    assert.equal(certificatesIn(pair.ca).length, 1, `${node.name}: ${name}: its CA is not alone`);
    assert.equal(certificatesIn(pair.certificate).length, 1, `${node.name}: ${name} is not alone`);
    const [ca, certificate, key] = [
      file('ca', pair.ca),
      file('certificate', pair.certificate),
      file('key', pair.key),
    ];
    for (const purpose of purposes) {
      const verdict = said('verify', '-x509_strict', '-purpose', purpose, '-CAfile', ca, certificate);
      assert.equal(verdict, `${certificate}: OK`);
    }
    assert.equal(
      said('x509', '-in', certificate, '-noout', '-pubkey'),
      said('pkey', '-in', key, '-pubout'),
      `${node.name}: the key of ${name} is another's`,
    );
    return `${name}: OK, ${said('x509', '-in', certificate, '-noout', '-issuer')}`;
  };
  const authorities = ['ca', 'etcd/ca', 'front-proxy-ca'].map((base) =>
    judged(`pki/${base}.crt`, node.pair(base, `${base}.crt`), []),
  );
  return [
    ...authorities,
    ...leaves.map(([base, ca, ...purposes]) =>
      judged(`pki/${base}.crt`, node.pair(base, `${ca}.crt`), purposes),
    ),
    ...kubeconfigs.map((name) => {
      const credentials = node.credentials(name);
      assert.deepEqual(
        certificatesIn(credentials.ca).map(String),
        certificatesIn(node.read('pki/ca.crt')).map(String),
        `${node.name}: ${name} trusts another CA`,
      );
      return judged(name, credentials, [client]);
    }),
  ];
}
