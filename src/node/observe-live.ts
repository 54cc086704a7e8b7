import { isComponent } from '../catalog/catalog.ts';
import { connectionTrouble, servedCertificates, type TlsIdentity } from '../controlplane/probe.ts';
import { KubepkiError } from '../errors/error.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import { readProcesses } from '../inventory/processes.ts';
import { readTlsIdentity } from '../inventory/certificate-files.ts';
import type { GivenEndpoint } from '../flags/values.ts';
import { endpointsOf, givenEndpoint } from '../operations/verification/endpoints.ts';
import type { Answer, Endpoint, Live, Observed } from '../operations/verification/observed.ts';
import { parseCertificate, type Chain } from '../pki/certificate/certificate.ts';

/** A component on this machine answers in milliseconds, and an operator must not wait for one that does not. */
const boundMs = 3000;

interface Asked {
  /** The components of this node; else only what was given. */
  readonly isLive: boolean;
  readonly given: readonly GivenEndpoint[];
}

/** Asks all of them at once what they serve. Never throws for one that does not answer. */
export async function observeLive(observed: Observed, { isLive, given }: Asked): Promise<Live> {
  const { root } = observed.subject.inventory.layout;
  const endpoints = [
    ...(isLive ? endpointsOf(observed) : []),
    ...given.map((one) => givenEndpoint(one, observed)),
  ];
  const answers = await Promise.all(endpoints.map((endpoint) => ask(endpoint, root)));
  // Another root's processes are not this machine's.
  const found =
    isLive && root.directory === '/'
      ? readProcesses(new Set(['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler']))
      : [];
  const processes = found.flatMap(({ name, words, startedAt }) =>
    isComponent(name) ? [{ component: name, words, startedAt }] : [],
  );
  return { answers, processes };
}

async function ask(endpoint: Endpoint, root: FileSystemRoot): Promise<Answer> {
  const { host, port, serverName, identity } = endpoint;
  try {
    const [leaf, ...others] = await servedCertificates(
      { host, port, serverName, identity: identity && identityIn(root, identity) },
      boundMs,
    );
    const chain: Chain = [parseCertificate(leaf), ...others.map(parseCertificate)];
    return { endpoint, status: 'shown', chain };
  } catch (error) {
    const why = error instanceof KubepkiError ? `it ${error.message}` : connectionTrouble(error);
    return { endpoint, status: 'silent', why };
  }
}

/** Without one the server may still show its certificate first, as TLS 1.3 has it. */
function identityIn(root: FileSystemRoot, files: NonNullable<Endpoint['identity']>): TlsIdentity | undefined {
  try {
    return readTlsIdentity(root, files);
  } catch (error) {
    if (error instanceof KubepkiError) return undefined;
    throw error;
  }
}
