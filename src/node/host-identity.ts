import { hostname, networkInterfaces } from 'node:os';
import type { CertificateSpec } from '../catalog/catalog.ts';
import { isDnsName } from '../config/host-names.ts';
import type { NodeNaming } from '../config/node-naming.ts';
import { KubepkiError } from '../errors/error.ts';
import type { Layout } from '../inventory/layout.ts';
import { readNodeTraces } from '../inventory/node-traces.ts';
import { foundIdentity, type Found } from '../operations/names/found-identity.ts';
import {
  kubeletServerOf,
  needsAddress,
  needsNodeName,
  type NodeIdentity,
} from '../operations/names/node-names.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** Whose identity, and what for. */
interface IdentityQuestion {
  readonly naming: NodeNaming;
  readonly layout: Layout;
  /** What will have the names in it. */
  readonly specs: readonly CertificateSpec[];
  /** The command has `--node-name` and `--advertise-address`. */
  readonly hasFlags: boolean;
}

const defaultPort = 6443;

// In nothing: what needs it asks for it.
const notNeeded = { name: 'not-needed.invalid', address: '192.0.2.0' } as const;

/**
 * kubeadm's defaults for what a configuration leaves out. A name or an address that is this machine's is said; of another root, which
 * is another machine's disk, only its files can tell them.
 * @throws KubepkiError bad-config when this machine has no address to advertise; usage when the files do not tell
 */
export function nodeIdentity(question: IdentityQuestion, terminal: Terminal): NodeIdentity {
  const { naming, layout, specs } = question;
  const own: Pick<NodeIdentity, 'kubeletServer' | 'controlPlaneEndpoint'> = {
    kubeletServer: kubeletServerOf(naming),
    controlPlaneEndpoint: naming.controlPlaneEndpoint,
  };
  const isNameNeeded = specs.some((spec) => needsNodeName(spec));
  const isAddressNeeded = specs.some((spec) => needsAddress(spec, own));
  const isElsewhere = layout.root.directory !== '/';
  const isOpen =
    (isNameNeeded && naming.nodeName === undefined) ||
    (isAddressNeeded && (naming.advertiseAddress === undefined || naming.bindPort === undefined));
  const found = isElsewhere && isOpen ? foundIdentity(readNodeTraces(layout)) : undefined;
  const nodeName = (): string =>
    found === undefined ? ownName(terminal) : told(found.nodeName, nameField, question, terminal);
  const advertiseAddress = (): string =>
    found === undefined
      ? ownAddress(terminal)
      : told(found.advertiseAddress, addressField, question, terminal);
  return {
    ...naming,
    ...own,
    nodeName: naming.nodeName ?? (isNameNeeded ? nodeName() : notNeeded.name),
    advertiseAddress: naming.advertiseAddress ?? (isAddressNeeded ? advertiseAddress() : notNeeded.address),
    bindPort: naming.bindPort ?? portOf(found?.bindPort, terminal),
    clusterName: naming.clusterName ?? 'kubernetes',
    serviceSubnets: naming.serviceSubnets ?? ['10.96.0.0/12'],
    dnsDomain: naming.dnsDomain ?? 'cluster.local',
  };
}

interface Field {
  readonly what: string;
  readonly field: string;
  readonly flag: string;
  readonly isUsable: (text: string) => boolean;
}

const nameField: Field = {
  what: "the node's name",
  field: 'nodeRegistration.name',
  flag: '--node-name',
  isUsable: isDnsName,
};

const addressField: Field = {
  what: 'the advertised address',
  field: 'localAPIEndpoint.advertiseAddress',
  flag: '--advertise-address',
  isUsable: () => true,
};

function told(
  found: Found<string>,
  { what, field, flag, isUsable }: Field,
  { layout, hasFlags }: IdentityQuestion,
  terminal: Terminal,
): string {
  const hint = hasFlags ? `name it: ${flag}, or ${field} in --config` : `name it: ${field} in --config`;
  switch (found.status) {
    case 'found':
      if (!isUsable(found.value)) {
        const value = JSON.stringify(found.value);
        throw new KubepkiError('usage', `${what} is that of ${found.from}, and no DNS name: ${value}`, {
          hint,
        });
      }
      terminal.note(
        `${what} is that of ${found.from}: ${found.value} (${hasFlags ? `${flag} or ${field}` : field} says otherwise)`,
      );
      return found.value;
    case 'contradiction': {
      const said = found.traces.map(({ value, from }) => `${value} by ${from}`).join(', ');
      throw new KubepkiError('usage', `${what} is not known: it is ${said}`, { hint });
    }
    case 'nothing':
      throw new KubepkiError(
        'usage',
        `${what} is not known: no file below ${layout.root.directory} tells it`,
        {
          hint,
        },
      );
  }
}

function portOf(found: Found<number> | undefined, terminal: Terminal): number {
  if (found?.status !== 'found' || found.value === defaultPort) return defaultPort;
  terminal.note(
    `the API server's port is that of ${found.from}: ${String(found.value)} (localAPIEndpoint.bindPort says otherwise)`,
  );
  return found.value;
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
