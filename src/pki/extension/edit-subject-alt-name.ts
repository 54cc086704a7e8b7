import { parseDer, partsOf, sequence, type Asn1 } from '../der/der.ts';
import { extensionIds, newExtension, type Extension } from './extension.ts';
import { addressEntry, describe, dnsEntry, type GeneralName } from './subject-alt-name.ts';

/** Names for a server, of the two kinds that its clients compare with: RFC 6125, and what kubeadm writes. */
export interface ServerNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

export interface SanEdit {
  readonly extension: Extension;
  readonly added: readonly GeneralName[];
  readonly removed: readonly GeneralName[];
}

/**
 * Takes names away, then adds some: DNS names behind the last DNS name, addresses behind the last address. All other names
 * stay where they are, byte for byte, and the extension stays as critical as it was.
 * @param old undefined: there are no SANs yet
 * @returns undefined when nothing changes
 * @throws KubepkiError bad-certificate
 */
export function editSubjectAltName(
  old: Extension | undefined,
  { add, remove }: { readonly add: ServerNames; readonly remove: ServerNames },
): SanEdit | undefined {
  const before = entriesOf(old);
  const gone = new Set(entriesFor(remove).map(keyOf));
  const kept = before.filter((entry) => !gone.has(keyOf(entry)));
  const added = unique(entriesFor(add), new Set(kept.map(keyOf)));
  const removed = before.filter((entry) => gone.has(keyOf(entry)));
  if (added.length === 0 && removed.length === 0) return undefined;
  const after = insert(insert(kept, added.filter(isDns), 'DNS'), added.filter(isAddress), 'IP');
  return { extension: encode(old, after), added: added.map(describe), removed: removed.map(describe) };
}

/**
 * Puts exactly these DNS names and addresses, in this order, where the first of the old ones was. Names of other kinds stay.
 * @returns undefined when nothing changes
 * @throws KubepkiError bad-certificate
 */
export function replaceServerNames(old: Extension | undefined, names: ServerNames): SanEdit | undefined {
  const before = entriesOf(old);
  const wanted = unique(entriesFor(names), new Set());
  const first = before.findIndex(isServerName);
  const ahead = first === -1 ? [] : before.slice(0, first);
  const behind = before.slice(ahead.length).filter((entry) => !isServerName(entry));
  const extension = encode(old, [...ahead, ...wanted, ...behind]);
  if (old?.der.equals(extension.der) === true) return undefined;
  const servers = before.filter(isServerName);
  return {
    extension,
    added: missingFrom(servers, wanted).map(describe),
    removed: missingFrom(wanted, servers).map(describe),
  };
}

/** The same name has the same key: RFC 4343 knows no case, and an address may be written in several ways. */
export function nameKey(name: GeneralName): string {
  return name.startsWith('DNS:') ? name.toLowerCase() : name;
}

/** What a reader of a certificate with these names would see. */
export function describeNames(names: ServerNames): GeneralName[] {
  return unique(entriesFor(names), new Set()).map(describe);
}

function entriesOf(extension: Extension | undefined): readonly Asn1[] {
  return extension === undefined ? [] : partsOf(parseDer(extension.value));
}

function entriesFor({ dnsNames, ipAddresses }: ServerNames): Asn1[] {
  return [...dnsNames.map(dnsEntry), ...ipAddresses.map(addressEntry)];
}

function keyOf(entry: Asn1): string {
  return nameKey(describe(entry));
}

function isDns(entry: Asn1): boolean {
  return describe(entry).startsWith('DNS:');
}

function isAddress(entry: Asn1): boolean {
  return describe(entry).startsWith('IP:');
}

function isServerName(entry: Asn1): boolean {
  return isDns(entry) || isAddress(entry);
}

function missingFrom(entries: readonly Asn1[], others: readonly Asn1[]): Asn1[] {
  const keys = new Set(entries.map(keyOf));
  return others.filter((entry) => !keys.has(keyOf(entry)));
}

/** Each entry once, and none that is present. */
function unique(entries: readonly Asn1[], present: ReadonlySet<string>): Asn1[] {
  const seen = new Set(present);
  return entries.filter((entry) => {
    const key = keyOf(entry);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/**
 * The added entries go behind the last of their kind. Where there is none, DNS names go before the first address, and addresses
 * behind the last DNS name.
 */
function insert(entries: readonly Asn1[], added: readonly Asn1[], kind: 'DNS' | 'IP'): Asn1[] {
  const [own, other] = kind === 'DNS' ? [isDns, isAddress] : [isAddress, isDns];
  const lastOwn = entries.findLastIndex(own);
  const beside = kind === 'DNS' ? entries.findIndex(other) : entries.findLastIndex(other) + 1;
  const at = lastOwn !== -1 ? lastOwn + 1 : Math.max(beside, 0);
  return [...entries.slice(0, at), ...added, ...entries.slice(at)];
}

function encode(old: Extension | undefined, entries: readonly Asn1[]): Extension {
  return newExtension(extensionIds.subjectAltName, old?.critical ?? false, sequence(entries));
}
