/**
 * The least that check-expiration can be: a process that reads the files it is given and parses them with what kubepki parses
 * them with, and does nothing else. Compiled as kubepki is.
 */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

interface Kubeconfig {
  readonly users: readonly { readonly user: { readonly 'client-certificate-data': string } }[];
}

for (const path of process.argv.slice(2)) {
  const bytes = readFileSync(path);
  if (path.endsWith('.crt')) {
    new X509Certificate(bytes);
  } else {
    const { users } = parse(bytes.toString()) as Kubeconfig;
    for (const { user } of users) new X509Certificate(Buffer.from(user['client-certificate-data'], 'base64'));
  }
}
