import { kubeletKubeconfig } from '../../catalog/catalog.ts';
import type { Certificate } from '../../pki/certificate/certificate.ts';
import { isoSeconds } from '../../pki/der/time.ts';
import { publicKeyOf } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import { validatePath } from '../../pki/path/path.ts';
import { inUseOf } from '../examination/examination.ts';
import { nothingHere, type Grade, type Look, type Trouble } from './check.ts';
import { isSameAuthority } from './kubeconfigs.ts';
import type { KubeconfigContent, KubeconfigFile, KubeletFiles } from '../../inventory/verified-files.ts';
import type { Observed } from './observed.ts';
import { troubleOf } from './trouble.ts';

const name = kubeletKubeconfig.name;

const elsewhere =
  'on a control-plane node with the key of the CA: kubeadm kubeconfig user --org system:nodes --client-name system:node:NAME > kubelet.conf; then put it here and restart the kubelet';

/**
 * What mends a kubelet that can no longer prove who it is.
 * @param otherwise where the key of the CA is not here
 */
function renewed(subject: Observed['subject'], otherwise = elsewhere): string {
  return isSignedHere(subject) ? `${subject.command(`renew ${name}`)}; systemctl restart kubelet` : otherwise;
}

/** Where no certificate is left that a renewal could carry over. */
function madeAnew(subject: Observed['subject'], ...paths: readonly string[]): string {
  return isSignedHere(subject)
    ? `move ${[...new Set(paths)].join(' and ')} away; ${subject.command(`generate ${name}`)}; systemctl restart kubelet`
    : elsewhere;
}

function isSignedHere({ inventory }: Observed['subject']): boolean {
  const authority = inventory.authorities.find(({ spec }) => spec.name === kubeletKubeconfig.caName);
  return authority?.key.status === 'present';
}

/**
 * The kubelet starts with what kubelet.conf holds or names. Where that has expired and there is no bootstrap kubeconfig, it does not
 * start, even if the certificate that it has rotated to is well (pkg/kubelet/certificate/bootstrap, LoadClientConfig).
 */
export function startsWithItsKubeconfig({ kubeconfigs, kubelet, subject }: Observed): Look {
  const file = kubeletFile(kubeconfigs);
  if (file === undefined) return nothingHere;
  const trouble = (message: string, hint: string, path = file.path, grade: Grade = 'error'): Look => ({
    looked: 1,
    troubles: [{ grade, name, file: path, message, hint }],
  });
  const { content, path } = file;
  if (content.status === 'unreadable')
    return { looked: 1, troubles: [troubleOf(name, path, content.error, madeAnew(subject, path))] };
  if (content.status === 'missing') return nothingHere;
  const { kubeconfig, certificate } = content.value;
  const { clientCertificate } = kubeconfig;
  const isRotatedWell = isCurrent(kubelet.client.certificate, subject.now);
  const joinAgain = renewed(subject);
  const repoint = renewed(
    subject,
    `have it name ${kubelet.client.path} as client-certificate and client-key, in the place of the data, and restart the kubelet`,
  );
  switch (certificate.status) {
    case 'missing':
      if (clientCertificate.kind === 'absent') return nothingHere;
      return kubelet.hasBootstrap
        ? trouble(
            `names ${pathIn(clientCertificate)}, which is not there: the kubelet asks for a new one with its bootstrap kubeconfig`,
            'see that its token is still good: kubeadm token list',
            path,
            'warning',
          )
        : trouble(
            `names ${pathIn(clientCertificate)}, which is not there, and there is no bootstrap kubeconfig: the kubelet does not start`,
            madeAnew(subject, path),
          );
    case 'unreadable':
      return {
        looked: 1,
        troubles: [
          troubleOf(name, path, certificate.error, madeAnew(subject, certificate.error.file ?? path, path)),
        ],
      };
    case 'present':
      break;
  }
  const [leaf] = certificate.value;
  if (leaf.notAfter.getTime() >= subject.now.getTime()) return { looked: 1, troubles: [] };
  const ended = isoSeconds(leaf.notAfter);
  if (clientCertificate.kind === 'data' && isRotatedWell) {
    return kubelet.hasBootstrap
      ? { looked: 1, troubles: [] }
      : trouble(
          `holds a certificate that expired on ${ended}, while ${kubelet.client.path} is well: the kubelet does not start again`,
          repoint,
        );
  }
  return trouble(
    `the kubelet's client certificate expired on ${ended}: it cannot speak to the API server`,
    joinAgain,
    clientCertificate.kind === 'file' ? kubelet.client.path : path,
  );
}

/** `kubelet-client-current.pem`: a link to the last one that the cluster gave it, certificate and key in one file. */
export function rotatesItsCertificate({ kubeconfigs, kubelet, subject }: Observed): Look {
  const { client, config } = kubelet;
  const file = kubeletFile(kubeconfigs);
  // Where the kubelet has not run yet, and in a copy of the PKI alone, there is neither.
  if (file === undefined || (client.certificate.status === 'missing' && config.status !== 'present'))
    return nothingHere;
  const joinAgain = renewed(subject);
  const troubles: Trouble[] = [];
  const say = (grade: Grade, message: string, hint: string, at = client.path): void => {
    troubles.push({ grade, name: 'kubelet', file: at, message, hint });
  };
  switch (client.certificate.status) {
    case 'missing':
      break;
    case 'unreadable':
      troubles.push(
        troubleOf(
          'kubelet',
          client.path,
          client.certificate.error,
          madeAnew(subject, client.path, file.path),
        ),
      );
      break;
    case 'present': {
      const [leaf] = client.certificate.value;
      if (!client.isLink)
        say(
          'warning',
          'is a file and no link: the kubelet replaces a link when it rotates',
          renewed(subject, 'move it to a name with its date beside it, and lead a link of this name to it'),
        );
      if (client.key?.status === 'missing')
        say('error', 'holds no private key beside its certificate', joinAgain);
      else if (client.key?.status === 'present' && !isSameKey(leaf.publicKey, publicKeyOf(client.key.value)))
        say('error', 'holds a private key that is not the one of its certificate', joinAgain);
      if (client.key?.status === 'unreadable')
        troubles.push(troubleOf('kubelet', client.path, client.key.error, joinAgain));
      troubles.push(...untrusted(leaf, client.path, subject), ...late(leaf, client.path, subject.now));
      break;
    }
  }
  if (config.status === 'present' && !config.value.rotateCertificates.isOn) {
    const inUse = certificateInUse(file, kubelet.client.certificate);
    if (inUse !== undefined)
      say(
        'warning',
        `the kubelet does not rotate its certificate (rotateCertificates is off), which ends on ${isoSeconds(inUse.notAfter)}`,
        'set rotateCertificates: true, and restart the kubelet',
        config.value.path,
      );
  }
  if (config.status === 'unreadable')
    troubles.push(troubleOf('kubelet', config.error.file ?? '/var/lib/kubelet/config.yaml', config.error));
  return { looked: 1, troubles };
}

/** The kubelet judges the API server's client certificate by these. */
export function knowsItsCallers({ kubelet: { clientCa }, subject }: Observed): Look {
  const authority = subject.inventory.authorities.find(({ spec }) => spec.name === 'ca');
  const signer = authority && inUseOf(authority, subject);
  if (clientCa === undefined || authority === undefined || signer === undefined) return nothingHere;
  const { target, content } = clientCa;
  const hint = `have clientCAFile name ${authority.certificatePath}, and restart the kubelet`;
  const trouble = (message: string): Look => ({
    looked: 1,
    troubles: [{ grade: 'error', name: 'kubelet', file: target.path, message, hint }],
  });
  switch (content.status) {
    case 'missing':
      return trouble('no such file, and clientCAFile names it: the kubelet does not start');
    case 'unreadable':
      return { looked: 1, troubles: [troubleOf('kubelet', target.path, content.error, hint)] };
    case 'present':
      return content.value.some((one) => isSameAuthority(one, signer))
        ? { looked: 1, troubles: [] }
        : trouble(
            `does not hold the CA of ${authority.certificatePath}: the kubelet refuses the API server (logs, exec, metrics)`,
          );
  }
}

/** Self-signed by default, and then verified by nobody; with serverTLSBootstrap the cluster's CA has signed it. */
export function servesAValidCertificate({ kubelet: { serving, config, client }, subject }: Observed): Look {
  const { target, content } = serving;
  const isClusters = isSignedByTheCluster({ config });
  const hint = isClusters
    ? 'see whether its request waits for approval: kubepki csr list'
    : 'the kubelet makes another when it starts and the file is not there: move it away with its key, and restart the kubelet';
  if (content.status === 'missing') {
    // A kubelet that has not run yet has not asked either, and a copy of the PKI alone has neither.
    if (!isClusters || client.certificate.status === 'missing') return nothingHere;
    const message =
      'no such file: the kubelet asks the cluster for its serving certificate and has none, so that it refuses its callers (logs, exec, metrics)';
    return { looked: 1, troubles: [{ grade: 'error', name: 'kubelet', file: target.path, message, hint }] };
  }
  if (content.status === 'unreadable')
    return { looked: 1, troubles: [troubleOf('kubelet', target.path, content.error, hint)] };
  const [leaf] = content.value;
  if (leaf.notAfter.getTime() < subject.now.getTime()) {
    return {
      looked: 1,
      troubles: [
        {
          grade: isClusters ? 'error' : 'warning',
          name: 'kubelet',
          file: target.path,
          message: `the kubelet's serving certificate expired on ${isoSeconds(leaf.notAfter)}`,
          hint,
        },
      ],
    };
  }
  const troubles = isClusters
    ? [...untrusted(leaf, target.path, subject, hint), ...late(leaf, target.path, subject.now)]
    : [];
  return { looked: 1, troubles };
}

/** Whether the kubelet asks the cluster for its serving certificate. */
export function isSignedByTheCluster({ config }: Pick<KubeletFiles, 'config'>): boolean {
  return config.status === 'present' && config.value.serverTLSBootstrap.isOn;
}

/** Whether the kubelet renews its client certificate: where nothing says that it does not, the file that it rotates to says that it does. */
export function isRotated({ config }: Pick<KubeletFiles, 'config'>): boolean {
  return config.status !== 'present' || config.value.rotateCertificates.isOn;
}

/** The kubelet renews between 70 and 90 % of a certificate's life: with less than a twentieth left something keeps it from that. */
export function rotationMarginMs({
  notBefore,
  notAfter,
}: Pick<Certificate, 'notBefore' | 'notAfter'>): number {
  return (notAfter.getTime() - notBefore.getTime()) / 20;
}

function late(leaf: Certificate, file: string, now: Date): Trouble[] {
  const { notAfter } = leaf;
  const left = notAfter.getTime() - now.getTime();
  if (left < 0 || left > rotationMarginMs(leaf)) return [];
  return [
    {
      grade: 'warning',
      name: 'kubelet',
      file,
      message: `ends on ${isoSeconds(notAfter)}, and the kubelet should have had a new one long ago`,
      hint: 'see whether its request waits for approval (kubepki csr list), and what the kubelet says: journalctl -u kubelet',
    },
  ];
}

function untrusted(
  leaf: Certificate,
  file: string,
  subject: Observed['subject'],
  hint = renewed(subject),
): Trouble[] {
  const authority = subject.inventory.authorities.find(({ spec }) => spec.name === 'ca');
  if (authority?.bundle.status !== 'present' || leaf.notAfter.getTime() < subject.now.getTime()) return [];
  const path = validatePath(leaf, [], authority.bundle.value, subject.now);
  if (path.status === 'trusted') return [];
  const message =
    path.status === 'untrusted' ? path.reason : `is not signed by the CA of ${authority.certificatePath}`;
  return [{ grade: 'error', name: 'kubelet', file, message, hint }];
}

function certificateInUse(
  { content }: KubeconfigFile,
  rotated: KubeconfigContent['certificate'],
): Certificate | undefined {
  if (rotated.status === 'present') return rotated.value[0];
  if (content.status !== 'present' || content.value.certificate.status !== 'present') return undefined;
  return content.value.certificate.value[0];
}

function kubeletFile(kubeconfigs: readonly KubeconfigFile[]): KubeconfigFile | undefined {
  return kubeconfigs.find(({ spec }) => spec === kubeletKubeconfig);
}

function isCurrent(certificate: KubeconfigContent['certificate'], now: Date): boolean {
  return certificate.status === 'present' && certificate.value[0].notAfter.getTime() >= now.getTime();
}

function pathIn(held: KubeconfigContent['kubeconfig']['clientCertificate']): string {
  return held.kind === 'file' ? held.path : 'a certificate';
}
