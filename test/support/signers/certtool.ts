import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyKind, Signer, SigningProgram } from './signer.ts';

/** GnuTLS' certtool, with a template for each certificate. */
export const certtool: SigningProgram = {
  judge: 'certtool',
  create: (program, directory, commonName, keyKind) =>
    signer(program, directory, commonName, keyKind, 'honor_crq_extensions\n'),
  forgetful: (program, directory, commonName, keyKind) => signer(program, directory, commonName, keyKind, ''),
  remedy: /certtool: honor_crq_extensions/,
};

function signer(
  program: string,
  directory: string,
  commonName: string,
  keyKind: KeyKind,
  honouring: string,
): Signer {
  const path = (name: string): string => join(directory, name);
  const run = (args: readonly string[]): void => {
    execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const key =
    keyKind === 'rsa' ? ['--key-type=rsa', '--bits=2048'] : ['--key-type=ecdsa', '--curve=secp256r1'];
  run(['--generate-privkey', ...key, '--outfile', path('ca.key')]);
  writeFileSync(path('ca.template'), `cn = "${commonName}"\nca\ncert_signing_key\nexpiration_days = 3650\n`);
  run([
    ...['--generate-self-signed', '--load-privkey', path('ca.key'), '--template', path('ca.template')],
    ...['--outfile', path('ca.pem')],
  ]);
  return {
    certificate: path('ca.pem'),
    sign: (request, certificate, usages, days) => {
      const template = path('leaf.template');
      const purposes = usages.map((usage) => (usage === 'serverAuth' ? 'tls_www_server' : 'tls_www_client'));
      writeFileSync(
        template,
        `${honouring}signing_key\nencryption_key\nexpiration_days = ${String(days)}\n${purposes.join('\n')}\n`,
      );
      run([
        ...['--generate-certificate', '--load-request', request, '--template', template],
        ...['--load-ca-certificate', path('ca.pem'), '--load-ca-privkey', path('ca.key')],
        ...['--outfile', certificate],
      ]);
    },
  };
}
