import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyKind, Signer, SigningProgram } from './signer.ts';

/** `openssl ca` with its index, serial numbers and configuration file. */
export const opensslCa: SigningProgram = {
  judge: 'openssl',
  create: (program, directory, commonName, keyKind) =>
    signer(program, directory, commonName, keyKind, 'copy'),
  forgetful: (program, directory, commonName, keyKind) =>
    signer(program, directory, commonName, keyKind, 'none'),
  remedy: /copy_extensions = copy/,
};

function signer(
  program: string,
  directory: string,
  commonName: string,
  keyKind: KeyKind,
  copyExtensions: 'copy' | 'none',
): Signer {
  const path = (name: string): string => join(directory, name);
  const run = (args: readonly string[]): void => {
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const key =
    keyKind === 'rsa' ? ['-newkey', 'rsa:2048'] : ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  run([
    ...['req', '-x509', '-nodes', '-days', '3650', ...key, '-subj', `/CN=${commonName}`],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    ...['-keyout', path('ca.key'), '-out', path('ca.pem')],
  ]);
  mkdirSync(path('issued'));
  writeFileSync(path('index.txt'), '');
  writeFileSync(path('openssl.cnf'), configuration(directory, copyExtensions));
  return {
    certificate: path('ca.pem'),
    sign: (request, certificate, usages, days) => {
      const extensions = path('extensions');
      writeFileSync(
        extensions,
        [
          'basicConstraints = critical, CA:FALSE',
          'keyUsage = critical, digitalSignature, keyEncipherment',
          `extendedKeyUsage = ${usages.join(', ')}`,
        ].join('\n'),
      );
      run([
        ...[
          'ca',
          '-config',
          path('openssl.cnf'),
          '-batch',
          '-notext',
          '-days',
          String(days),
          '-extfile',
          extensions,
        ],
        ...['-in', request, '-out', certificate],
      ]);
    },
  };
}

function configuration(directory: string, copyExtensions: 'copy' | 'none'): string {
  return `[ca]
default_ca = this
[this]
dir = ${directory}
database = $dir/index.txt
new_certs_dir = $dir/issued
certificate = $dir/ca.pem
private_key = $dir/ca.key
rand_serial = yes
default_md = sha256
unique_subject = no
preserve = no
policy = any
copy_extensions = ${copyExtensions}
[any]
organizationName = optional
commonName = supplied
`;
}
