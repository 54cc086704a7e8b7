import type { CommandLine } from '../../errors/command-line.ts';
import type { AuthorityCheck, Severity } from './authority-checks.ts';
import type { CertificateCheck } from './certificate-checks.ts';

/** `unjudged`: its CA could not be read, so whether it verifies is not known. */
export type CheckId = CertificateCheck | AuthorityCheck | 'missing' | 'unreadable' | 'unjudged';

/** A fault of one certificate, or of a CA's file. */
export interface Finding {
  readonly check: CheckId;
  readonly severity: Severity;
  /** The certificate's name, or the CA's, as a user types it. */
  readonly name: string;
  /** Host path of the file to look at. */
  readonly file: string;
  /** A predicate of the file. */
  readonly message: string;
  /** A predicate of the certificate: `has no private key`. */
  readonly summary: string;
  readonly hint: string | undefined;
  /** The finding follows from a fault of the CA, which has a finding of its own. */
  readonly followsFromCa?: true;
}

// kubeadm's tables show these by themselves. The CA's own row says that it could not be read.
const shown: ReadonlySet<CheckId> = new Set(['missing', 'unreadable', 'unjudged', 'expired', 'ca-expired']);

/** Whether the tables of check-expiration show the finding in the certificate's row. */
export function isShownByRow({ check }: Finding): boolean {
  return shown.has(check);
}

export function isError({ severity }: Finding): boolean {
  return severity === 'error';
}

/** The certificate that a remedy is for. */
export interface Remedied {
  /** The certificate's name, or the CA's. */
  readonly name: string;
  /** Whether the key of its CA is elsewhere; `etcd`: it is, and kubeadm does not manage the certificate either. */
  readonly external: boolean | 'etcd';
  readonly caFile: string;
  readonly command: CommandLine;
}

/** The next step for the client certificate of an external etcd. */
export const ofExternalEtcd = 'the external etcd has its own CA: have it sign a new one, and put it in place';

/** The next step that mends a finding. */
export function remedy(check: CheckId, { name, external, caFile, command }: Remedied): string | undefined {
  if (external === 'etcd' && !elsewhere.has(check)) {
    return ofExternalEtcd;
  }
  const csrOnly = external === false ? '' : ' --csr-only';
  const signedAnew = `have it signed anew: ${command(`renew ${name}${csrOnly}`)}`;
  const madeAnew =
    external === false
      ? `put another in place, or move this one and its key away to have one made: ${command(`generate ${name}`)}`
      : `have its CA sign another: ${command(`renew ${name} --csr-only`)}`;
  switch (check) {
    case 'missing':
      return external === false
        ? `restore it with its key, or make it: ${command(`generate ${name}`)}`
        : 'restore it with its key, or have the CA sign a new one (kubepki certs generate-csr --help)';
    case 'order':
      return 'put the leaf first, and the intermediates that signed it behind it';
    case 'foreign':
      return `put the CA certificate in place that signed it, or have it signed by this one: ${command(`renew ${name}${external === false ? ' --force' : csrOnly}`)}`;
    case 'untrusted':
      return `have it signed by a valid CA that leads to ${caFile}`;
    case 'signature':
    case 'serial':
      return signedAnew;
    case 'ca':
    case 'extensions':
    case 'usages':
      return madeAnew;
    case 'nameless':
      return `give it the names of the configuration: ${withConfig(command(`renew ${name}${csrOnly} --sans-from-config`))}`;
    case 'key-missing':
      return `restore it from a backup, or ${external === false ? 'make a new pair' : 'have it signed with a new key'}: ${command(`renew ${name}${csrOnly}`)}`;
    case 'key-locked':
    case 'ca-key-locked':
      return 'run it as root, or look at no key: --certs-only';
    case 'key-unreadable':
    case 'key-other':
      return `put the key and the certificate of one pair in place, or make a new one: ${command(`renew ${name}${csrOnly}`)}`;
    case 'expired':
      return `renew it: ${command(`renew ${name}${csrOnly}`)}`;
    case 'not-yet-valid':
      return external === 'etcd'
        ? "check this machine's clock"
        : `check this machine's clock; if it is right: ${command(`renew ${name}${csrOnly}`)}`;
    case 'ca-not-yet-valid':
      return "check this machine's clock";
    case 'ca-no-ca':
    case 'ca-unfit':
      return 'put the CA certificate of this cluster in place, from a backup or another control-plane node';
    case 'ca-serial':
    case 'ca-expired':
      // It depends on the CA: see authority-remedy.ts.
      return undefined;
    case 'ca-key-unreadable':
    case 'ca-key-other':
      return 'put the key and the certificate of the same CA in place, from a backup or another control-plane node';
    case 'block-unparsable':
    case 'block-no-ca':
    case 'block-expired':
      return 'take it out of the file';
    case 'unreadable':
      return external === false
        ? `restore it from a backup, or move it away, with its key, to have it made anew: ${command(`generate ${name}`)}`
        : 'restore it from a backup, or have the CA sign a new one (kubepki certs generate-csr --help)';
    case 'unjudged':
      return 'see to its CA first';
  }
}

/** The checks whose remedies need no CA. */
const elsewhere: ReadonlySet<CheckId> = new Set(['order', 'key-locked', 'not-yet-valid', 'unjudged']);

/** The configuration has to be named on the command line: the cluster's does not know this node's names. */
function withConfig(line: string): string {
  return line.includes(' --config ')
    ? line
    : line.replace('--sans-from-config', '--sans-from-config --config FILE');
}
