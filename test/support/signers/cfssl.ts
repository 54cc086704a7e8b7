import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyKind, Signer, SigningProgram, Usages } from './signer.ts';

/** `cfssl gencert -initca`, then `cfssl sign` with a profile each for servers, clients and peers. */
export const cfssl: SigningProgram = {
  judge: 'cfssl',
  create: (program, directory, commonName, keyKind) => signer(program, directory, commonName, keyKind, []),
  // cfssl copies SANs unless it is told which hosts to put in.
  forgetful: (program, directory, commonName, keyKind) =>
    signer(program, directory, commonName, keyKind, ['-hostname', 'kubernetes']),
  remedy: /the CA must copy the SANs from the CSR/,
};

function signer(
  program: string,
  directory: string,
  commonName: string,
  keyKind: KeyKind,
  flags: readonly string[],
): Signer {
  const path = (name: string): string => join(directory, name);
  const run = (args: readonly string[]): Record<string, string> =>
    JSON.parse(
      execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    ) as Record<string, string>;
  writeFileSync(
    path('ca.json'),
    JSON.stringify({
      CN: commonName,
      key: keyKind === 'rsa' ? { algo: 'rsa', size: 2048 } : { algo: 'ecdsa', size: 256 },
      ca: { expiry: '87600h' },
    }),
  );
  const { cert = '', key = '' } = run(['gencert', '-initca', path('ca.json')]);
  writeFileSync(path('ca.pem'), cert);
  writeFileSync(path('ca-key.pem'), key, { mode: 0o600 });
  return {
    certificate: path('ca.pem'),
    sign: (request, certificate, usages, days) => {
      writeFileSync(path('config.json'), configuration(days));
      const { cert: signed = '' } = run([
        ...['sign', '-ca', path('ca.pem'), '-ca-key', path('ca-key.pem'), '-config', path('config.json')],
        ...['-profile', profileFor(usages), ...flags, request],
      ]);
      writeFileSync(certificate, signed);
    },
  };
}

function configuration(days: number): string {
  const profile = (usages: readonly string[]): object => ({
    expiry: `${String(days * 24)}h`,
    usages: ['signing', 'key encipherment', ...usages],
  });
  const profiles = {
    server: profile(['server auth']),
    client: profile(['client auth']),
    peer: profile(['server auth', 'client auth']),
  };
  return JSON.stringify({ signing: { profiles } });
}

function profileFor(usages: Usages): string {
  if (usages.length > 1) return 'peer';
  return usages[0] === 'serverAuth' ? 'server' : 'client';
}
