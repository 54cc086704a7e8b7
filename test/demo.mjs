/**
 * `npm run demo`: checks and renews a copy of a fixture with the real command, and lets openssl verify what came out.
 */
import './build.mjs';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

// The tests' own helpers, which are TypeScript; tsx is there only since setup.
const { register } = await import('tsx/esm/api');
register();
const { copyFixtureTo } = await import('./support/tree.ts');
const { leafFiles } = await import('./support/certificates/certificates.ts');

const bin = fileURLToPath(new URL('../bin/kubepki.js', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'kubepki-demo-'));
try {
  demo(copyFixtureTo('stacked-etcd-rsa', join(scratch, 'node')));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function demo(tree) {
  kubepki('certs', 'check-expiration', '--rootfs', tree.directory);
  kubepki('certs', 'renew', 'all', '--rootfs', tree.directory);
  kubepki('certs', 'check-expiration', '--rootfs', tree.directory);
  verify(tree);
}

function kubepki(...args) {
  console.log(`$ kubepki ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, [bin, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) process.exitCode = 1;
  console.log();
}

function verify(tree) {
  if (spawnSync('openssl', ['version']).error !== undefined) {
    console.log('openssl is not installed: nobody else has verified these certificates');
    return;
  }
  console.log(
    '$ openssl verify -x509_strict -CAfile CA CERTIFICATE   # for each; those of kubeconfigs extracted first',
  );
  for (const { certificate, ca } of leafFiles(tree, join(scratch, 'kubeconfigs'))) {
    const inPki = !relative(tree.certDir, certificate).startsWith('..');
    const cwd = inPki ? tree.certDir : dirname(certificate);
    const shown = inPki ? relative(tree.certDir, certificate) : basename(certificate);
    const { status } = spawnSync('openssl', ['verify', '-x509_strict', '-CAfile', ca, shown], {
      cwd,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    if (status !== 0) process.exitCode = 1;
  }
}
