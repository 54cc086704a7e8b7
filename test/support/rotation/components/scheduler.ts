/**
 * A stand-in for kube-scheduler: with the kubeconfig that it read at its start it asks for pods, over a connection that it keeps for a
 * while, and makes anew. kubeadm gives it no client-ca-file, so it believes its clients by extension-apiserver-authentication.
 */
import type { X509Certificate } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { ApiClient } from './api-client.ts';
import { flagsOf } from './flags.ts';
import { serveHealth } from './health.ts';
import { certificatesIn } from './pem.ts';

const flags = flagsOf(process.argv.slice(2));
const name = `kube-scheduler ${process.env['NODE_NAME'] ?? ''}`;
const api = new ApiClient(name, flags.need('kubeconfig'), process.env['REQUESTS']);
const roots: { current: readonly X509Certificate[] } = { current: [] };
serveHealth(flags, () => roots.current);

void (async () => {
  for (let count = 1; ; count += 1) {
    const next = pause(1000);
    if (count % 3 === 0) api.reconnect();
    await look().catch((error: unknown) => {
      console.error(String(error));
    });
    // On a busy machine an answer may take longer, and is waited for.
    await next;
  }
})();

/** What the ConfigMap held stays while it is not there. */
async function look(): Promise<void> {
  await api.ask('GET', '/api/v1/pods?fieldSelector=spec.nodeName=');
  const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
  const found = await api.ask<{ readonly data?: Readonly<Record<string, string>> }>('GET', path);
  const certificates = certificatesIn(found?.data?.['client-ca-file'] ?? '');
  if (certificates.length > 0) roots.current = certificates;
}
