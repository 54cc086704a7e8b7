import { hostname, networkInterfaces } from 'node:os';
import { isDnsName } from '../config/host-names.ts';
import { KubepkiError } from '../errors/error.ts';
import type { NodeNaming } from '../config/node-naming.ts';
import type { NodeIdentity } from '../operations/requested-names.ts';
import type { Terminal } from './terminal.ts';

/**
 * kubeadm's defaults for what a configuration leaves out. What comes from this machine is said.
 * @throws KubepkiError bad-config when this machine has no address to advertise
 */
export function nodeIdentity(naming: NodeNaming, terminal: Terminal): NodeIdentity {
  return {
    ...naming,
    nodeName: naming.nodeName ?? ownName(terminal),
    advertiseAddress: naming.advertiseAddress ?? ownAddress(terminal),
    bindPort: naming.bindPort ?? 6443,
    clusterName: naming.clusterName ?? 'kubernetes',
    serviceSubnets: naming.serviceSubnets ?? ['10.96.0.0/12'],
    dnsDomain: naming.dnsDomain ?? 'cluster.local',
  };
}

// kubeadm: the lower-cased host name.
function ownName(terminal: Terminal): string {
  const name = hostname().trim().toLowerCase();
  if (!isDnsName(name)) {
    throw new KubepkiError('bad-config', `this machine's name is no DNS name: ${JSON.stringify(name)}`, {
      hint: 'name the node in the configuration: nodeRegistration.name',
    });
  }
  terminal.note(`the node's name is this machine's: ${name} (nodeRegistration.name says otherwise)`);
  return name;
}

function ownAddress(terminal: Terminal): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const usable = addresses.filter(({ internal, address }) => !internal && !address.startsWith('fe80:'));
  const chosen = usable.find(({ family }) => family === 'IPv4') ?? usable[0];
  if (chosen === undefined) {
    throw new KubepkiError('bad-config', 'this machine has no address to advertise', {
      hint: 'name it in the configuration: localAPIEndpoint.advertiseAddress',
    });
  }
  terminal.note(
    `the advertised address is this machine's: ${chosen.address} (localAPIEndpoint.advertiseAddress says otherwise)`,
  );
  return chosen.address;
}
