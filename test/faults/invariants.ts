import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { leafFiles } from '../support/certificates/certificates.ts';
import type { Snapshot, Tree } from '../support/tree.ts';
import { snapshot } from '../support/tree.ts';

/** Files that a `renew all` replaces: everything but CAs, service-account keys and kubepki's own state. */
function replaced(files: Snapshot): Map<string, string> {
  return new Map(
    [...files]
      .filter(([path, { type }]) => type === 'file' && /\.(?:crt|key|conf)$/.test(path))
      // What waits for a signature is not in use.
      .filter(([path]) => !path.startsWith('csr/'))
      .filter(([path]) => !/(?:^|\/)(?:ca|front-proxy-ca|sa)\.\w+$|kubelet\.conf$|\/\.kubepki\//.test(path))
      .map(([path, { sha256 = '' }]) => [path, sha256]),
  );
}

/** Files that a `ca renew all` replaces. */
function replacedWithAuthorities(files: Snapshot): Map<string, string> {
  return new Map(
    [...files]
      .filter(([path]) =>
        /^etc\/kubernetes\/(?:pki\/(?:etcd\/|front-proxy-)?ca\.crt|[\w-]+\.conf)$/.test(path),
      )
      .map(([path, { sha256 = '' }]) => [path, sha256]),
  );
}

/** The same of these. */
export function authoritiesState(before: Snapshot, after: Snapshot): 'old' | 'new' {
  return stateOf(replacedWithAuthorities(before), replacedWithAuthorities(after));
}

/** Whether the set is as it was, or all new. Anything between is a failure. */
export function setState(before: Snapshot, after: Snapshot): 'old' | 'new' {
  return stateOf(replaced(before), replaced(after));
}

function stateOf(old: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): 'old' | 'new' {
  assert.deepEqual([...now.keys()], [...old.keys()], 'the files of the set');
  const changed = [...old].filter(([path, sha256]) => now.get(path) !== sha256).map(([path]) => path);
  assert.ok(changed.length === 0 || changed.length === old.size, `mixed: only ${changed.join(', ')} are new`);
  return changed.length === 0 ? 'old' : 'new';
}

/** Every key matches its certificate, every certificate verifies, every kubeconfig parses. */
export function requireSound(tree: Tree, scratch: string, count = 10): void {
  const leaves = leafFiles(tree, scratch);
  assert.equal(leaves.length, count);
  for (const { name, certificate, key, ca } of leaves) {
    const leaf = new X509Certificate(readFileSync(certificate));
    const issuers = certificatesIn(ca);
    assert.ok(leaf.checkPrivateKey(createPrivateKey(readFileSync(key))), `${name}: the key is another's`);
    assert.ok(
      issuers.some((issuer) => leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey)),
      `${name}: does not verify`,
    );
  }
}

/** A CA file may hold several, and text around them, which openssl takes for a fault and Go does not. */
function certificatesIn(path: string): X509Certificate[] {
  const blocks = /-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
  return (readFileSync(path, 'latin1').match(blocks) ?? []).map((pem) => new X509Certificate(pem));
}

/** No staged file, no journal; of kubepki's state only backups, and only complete ones. */
export function requireTidy(tree: Tree): void {
  const paths = [...snapshot(tree.directory).keys()];
  assert.deepEqual(
    paths.filter((path) => /(?:^|\/)\.(?!kubepki(?:\/|$))|journal|\.new$/.test(path)),
    [],
  );
  const backups = paths.filter((path) => /kubepki\/backups\/[^/]+$/.test(path));
  for (const backup of backups) {
    assert.doesNotThrow(() => readFileSync(join(tree.directory, backup, 'manifest.json')), backup);
  }
}
