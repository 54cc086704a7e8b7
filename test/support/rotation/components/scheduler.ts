/**
 * A stand-in for kube-scheduler: with the kubeconfig that it read at its start it asks for pods, over a connection that it keeps for a
 * while, and makes anew.
 */
import { ApiClient } from './api-client.ts';
import { flagsOf } from './flags.ts';
import { serveHealth } from './health.ts';

const flags = flagsOf(process.argv.slice(2));
const name = `kube-scheduler ${process.env['NODE_NAME'] ?? ''}`;
const api = new ApiClient(name, flags.need('kubeconfig'), process.env['REQUESTS']);
serveHealth(flags);

let count = 0;
setInterval(() => {
  count += 1;
  if (count % 3 === 0) api.reconnect();
  void api.ask('GET', '/api/v1/pods?fieldSelector=spec.nodeName=').catch((error: unknown) => {
    console.error(String(error));
  });
}, 1000);
