import { KubepkiError } from '../errors/error.ts';
import { planText } from '../operations/rotation/plan-text.ts';
import type { PlannedAuthority } from '../operations/rotation/plan.ts';
import { requirePlanned, requireSoundCross } from '../operations/rotation/rotation.ts';
import {
  trustedCertificates,
  trustedIn,
  type Transfer,
  type TransferredAuthority,
} from '../operations/rotation/transfer.ts';
import { encodeCertificates, parseCertificates, type Certificate } from '../pki/certificate/certificate.ts';
import { maxSealedBytes } from '../pki/key/sealed-keys.ts';
import { parseRotationPlan } from '../storage/rotation-plan.ts';
import { isArchive, noArchive, packFiles, unpackFiles, type ArchivedFile } from './archive.ts';

/** The version of the format is in every name, and in a directory of its own nothing is in the way when it is unpacked by hand. */
const directory = 'kubepki-rotation-1/';
const keysName = 'keys.sealed';
const certificateParts = ['old', 'next', 'cross'] as const;
/** A plan; of each of three CAs the certificates and what is trusted; the keys. */
const mostFiles = 1 + 3 * 4 + 1;
const maxTextBytes = 64 * 1024;
/** No file that {@link writeTransfer} makes is larger. */
export const maxTransferBytes = 1024 * 1024;

/** The file that travels between nodes: a tar archive, the same bytes for the same content. */
export function writeTransfer({ plan, authorities, sealedKeys }: Transfer): Buffer {
  const text = (name: string, content: string): ArchivedFile => ({
    name: `${directory}${name}`,
    content: Buffer.from(content),
    isPublic: true,
  });
  const files = [
    text('plan.json', planText(plan)),
    ...authorities.flatMap((authority) => [
      ...certificateParts.map((part) =>
        text(`${authority.name}.${part}.crt`, encodeCertificates([authority[part]])),
      ),
      text(
        `${authority.name}.trusted.crt`,
        encodeCertificates(trustedCertificates(authority.trusted, authority)),
      ),
    ]),
    ...(sealedKeys === undefined
      ? []
      : [{ name: `${directory}${keysName}`, content: sealedKeys, isPublic: false }]),
  ];
  return packFiles(files, new Date(plan.createdAt));
}

/** Whether a file is meant to be one that {@link writeTransfer} made. */
export function isTransfer(bytes: Uint8Array): boolean {
  return isArchive(bytes);
}

/**
 * Reads a file that came from another machine, through other hands: so nothing is taken that {@link writeTransfer} does not write, byte
 * for byte. What it says is consistent then, and made by a holder of the old CAs' keys; whether these are this cluster's is for
 * operations/rotation/transfer.ts to judge.
 * @throws KubepkiError bad-transfer, too-large
 */
export function readTransfer(bytes: Uint8Array): Transfer {
  const archive = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (archive.length > maxTransferBytes) {
    throw new KubepkiError('too-large', 'is larger than any file of "kubepki ca rotate export"');
  }
  const files = new Map(unpackFiles(archive, mostFiles).map(({ name, content }) => [name, content]));
  const take = (name: string, maxBytes = maxTextBytes): Buffer => {
    const content = files.get(`${directory}${name}`);
    if (content === undefined) throw noArchive(`does not hold ${directory}${name}`);
    if (content.length > maxBytes) throw noArchive(`${name} in it is too large`);
    return content;
  };
  const plan = parseRotationPlan(take('plan.json'));
  if (plan === undefined)
    throw noArchive('plan.json in it is no plan that this version of kubepki understands');
  const authorities = plan.authorities.map((planned) => readAuthority(planned, take));
  const sealedKeys = files.has(`${directory}${keysName}`)
    ? Buffer.from(take(keysName, maxSealedBytes))
    : undefined;
  const transfer = { plan: { ...plan, accepted: [] }, authorities, sealedKeys };
  if (writeTransfer(transfer).equals(archive)) return transfer;
  throw noArchive('was packed anew, or changed on the way');
}

function readAuthority(planned: PlannedAuthority, take: (name: string) => Buffer): TransferredAuthority {
  const { name } = planned;
  const read = (part: (typeof certificateParts)[number]): Certificate =>
    within(`${name}.${part}.crt`, (file) => {
      const [certificate] = parseCertificates(take(file));
      requirePlanned(certificate, planned[part]);
      return certificate;
    });
  const authority = { name, old: read('old'), next: read('next'), cross: read('cross') };
  within(`${name}.cross.crt`, () => {
    requireSoundCross(authority);
  });
  const trusted = within(`${name}.trusted.crt`, (file) =>
    trustedIn(authority, parseCertificates(take(file))),
  );
  if (trusted !== undefined) return { ...authority, trusted };
  throw noArchive(`${name}.trusted.crt in it holds neither the old nor the new CA`);
}

/** An error says which file of the archive it is about; the archive itself is what the operator can open. */
function within<T>(file: string, read: (file: string) => T): T {
  try {
    return read(file);
  } catch (error) {
    if (!(error instanceof KubepkiError) || error.code === 'bad-transfer') throw error;
    throw new KubepkiError('bad-transfer', `${file} in it ${error.message}`, { cause: error });
  }
}
