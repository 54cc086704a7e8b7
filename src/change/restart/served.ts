import { servedCertificates, connectionTrouble } from '../../controlplane/probe.ts';
import type { Clock } from '../../controlplane/clock.ts';
import { KubepkiError } from '../../errors/error.ts';
import { readPresent, readTlsIdentity, type TlsIdentity } from '../../inventory/certificate-files.ts';
import type { ComponentRestart } from '../../operations/restart/plan-restart.ts';
import type { ServedCertificate } from '../../operations/restart/served-certificates.ts';
import { parseCertificates } from '../../pki/certificate/certificate.ts';
import type { Node } from '../../node/node-options.ts';

interface Waiting {
  readonly clock: Clock;
  /** Why it is asked again. */
  readonly waiting: (why: string) => void;
}

/** How long a server may take to listen after its probe says that it is well: etcd's probe has a port of its own. */
export const servedPatienceMs = 30_000;
const pollMs = 500;

/**
 * Makes sure, by a TLS handshake with each server of a component, that it shows the certificate that is on disk.
 * @returns what was seen
 * @throws KubepkiError not-restarted when it shows another one, or none
 */
export async function requireServed(
  { component, serves }: ComponentRestart,
  node: Node,
  waiting: Waiting,
): Promise<readonly ServedCertificate[]> {
  const seen: ServedCertificate[] = [];
  for (const served of serves) {
    const { root } = node.layout;
    const file = root.locate(served.certificateFile);
    const [leaf] = parseCertificates(readPresent(root, file));
    const shown = await ask(served, identityOf(served, node), waiting, component);
    if (!shown.equals(leaf.der)) {
      throw new KubepkiError(
        'not-restarted',
        `${component} serves another certificate than this at ${served.host}:${String(served.port)}`,
        { file, hint: 'it runs with another file, or something else answers there: look at its flags' },
      );
    }
    seen.push({ ...served, certificateFile: file });
  }
  return seen;
}

async function ask(
  { host, port }: ServedCertificate,
  identity: TlsIdentity | undefined,
  { clock, waiting }: Waiting,
  component: string,
): Promise<Buffer> {
  const deadline = clock.elapsed() + servedPatienceMs;
  for (;;) {
    try {
      return (await servedCertificates({ host, port, identity }))[0];
    } catch (cause) {
      const why = connectionTrouble(cause);
      if (clock.elapsed() >= deadline) {
        throw new KubepkiError(
          'not-restarted',
          `${component} cannot be asked for its certificate at ${host}:${String(port)}: ${why}`,
          { cause },
        );
      }
      waiting(`${why} at ${host}:${String(port)}`);
      await clock.sleep(pollMs);
    }
  }
}

/** Without one the server may still show its certificate first, as TLS 1.3 has it. */
function identityOf({ identity }: ServedCertificate, { layout: { root } }: Node): TlsIdentity | undefined {
  if (identity === undefined) return undefined;
  try {
    return readTlsIdentity(root, {
      certificateFile: root.locate(identity.certificateFile),
      keyFile: root.locate(identity.keyFile),
    });
  } catch (error) {
    if (error instanceof KubepkiError) return undefined;
    throw error;
  }
}
