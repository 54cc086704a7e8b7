import { execFileSync, spawnSync } from 'node:child_process';

/** SHA-256 of the certificate that a server shows, as openssl sees it in a handshake. */
export function servedFingerprint(
  openssl: string,
  port: number,
  client?: { readonly certificate: string; readonly key: string },
): string {
  const identity = client === undefined ? [] : ['-cert', client.certificate, '-key', client.key];
  const { stdout } = spawnSync(
    openssl,
    ['s_client', '-connect', `127.0.0.1:${String(port)}`, '-showcerts', ...identity],
    { input: '', encoding: 'utf8' },
  );
  const [certificate] = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(stdout) ?? [];
  if (certificate === undefined) throw new Error(`no certificate from port ${String(port)}: ${stdout}`);
  return fingerprint(openssl, [], certificate);
}

/** SHA-256 of the first certificate in a file. */
export function fileFingerprint(openssl: string, path: string): string {
  return fingerprint(openssl, ['-in', path]);
}

function fingerprint(openssl: string, args: readonly string[], input = ''): string {
  return execFileSync(openssl, ['x509', ...args, '-noout', '-fingerprint', '-sha256'], {
    input,
    encoding: 'utf8',
  }).trim();
}
