import type { FileChange } from '../../changeset/change-set.ts';
import { kubeletKubeconfig, type CaName } from '../../catalog/catalog.ts';
import type { CommandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import type { CertificateEntry, Inventory } from '../../inventory/inventory.ts';
import { findAuthority, present } from '../../inventory/look-ups.ts';
import type { Chain } from '../../pki/certificate/certificate.ts';
import { isIssuedBy, localIssuer, type Issuer } from '../../pki/issue/issuer.ts';
import { publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { isSameKey } from '../../pki/key/public-key.ts';
import type { NamedAlgorithm } from '../issuing/key-choice.ts';
import { planRenewals, type Renewable } from '../renewal/plan-renewal.ts';
import {
  authorityFile,
  completedBySwitch,
  exchangeKeys,
  joinSigning,
  signWith,
  trustedByKubeconfigs,
  withoutCross,
  type KeptKeys,
} from './edits.ts';
import { stages, type RotatedAuthority, type Stage } from './plan.ts';
import { boundsOf, orderOf, reached, type Reached, type RotationFiles } from './state.ts';
import { wantedAuthorities } from './wanted.ts';

/** The stages that change what is in use. */
export type LiveStage = Exclude<Stage, 'prepare'>;

/** A CA that is being replaced, with its keys as far as they are on this node. */
export interface RotatedHere {
  readonly authority: RotatedAuthority;
  readonly kept: KeptKeys;
  /** What is kept for the switch; undefined: it is in the cert dir already, or not on this node. */
  readonly keptKey: PrivateKey | undefined;
}

/** What a stage does to the files of this node. */
export interface StagePlan {
  readonly stage: LiveStage;
  /** Where there is one, nothing is changed. */
  readonly errors: readonly KubepkiError[];
  /** The CAs that this node is not at the stage with yet. */
  readonly authorities: readonly RotatedAuthority[];
  /** What must be in use before `edits` are made: of `trust` alone. */
  readonly first: readonly FileChange[];
  readonly edits: readonly FileChange[];
  /** The certificates that the new CA signs: of `switch` alone. */
  readonly renewables: readonly Renewable[];
  /** The CAs whose keys are elsewhere, where certificates are to come from there still. */
  readonly elsewhere: readonly CaName[];
}

interface StageSettings {
  readonly now: Date;
  readonly validityMs: number;
  readonly encryptionAlgorithm: NamedAlgorithm | undefined;
  readonly command: CommandLine;
}

/** Decides what is left to do for a stage. Where a run was killed in it, or a node was away, that is a part of it. */
export function planStage(
  stage: LiveStage,
  rotated: readonly RotatedHere[],
  files: RotationFiles,
  settings: StageSettings,
): StagePlan {
  const errors: KubepkiError[] = [];
  const attempt = <T>(make: () => readonly T[]): readonly T[] => {
    try {
      return make();
    } catch (error) {
      if (!(error instanceof KubepkiError)) throw error;
      // A key that is missing is missed by the CA's files and by what it is to sign.
      if (!errors.some(({ oneLine }) => oneLine === error.oneLine)) errors.push(error);
      return [];
    }
  };
  const open = rotated.filter(
    ({ authority }) => attempt(() => (isLeft(stage, authority, files, settings) ? [true] : [])).length > 0,
  );
  const plan = {
    first: open.flatMap(({ authority }) =>
      stage === 'trust' && authority.name === 'ca' && files.signing?.kind === 'authority'
        ? attempt(() => signWith(authority.old, files))
        : [],
    ),
    edits: open.flatMap((one) => attempt(() => editsOf(stage, one, files))),
    renewables:
      stage === 'switch' ? open.flatMap((one) => attempt(() => leavesOf(one, files, settings))) : [],
  };
  const elsewhere = open
    .filter((one) => isElsewhere(one, files) && notOfNext(one.authority, files.inventory).length > 0)
    .map(({ authority }) => authority.name);
  return { stage, errors, authorities: open.map(({ authority }) => authority), ...plan, elsewhere };
}

/**
 * Whether a node has something left to do for a stage.
 * @throws KubepkiError where it is not at the stage before, or where a file belongs to no stage
 */
function isLeft(
  stage: LiveStage,
  authority: RotatedAuthority,
  files: RotationFiles,
  { command }: Pick<StageSettings, 'command'>,
): boolean {
  const found = reached(authority, files);
  if (found.kind === 'unclear') {
    const [{ path, error }] = found.misfits as [(typeof found.misfits)[number]];
    throw new KubepkiError(error.code, error.message, {
      file: error.file ?? path,
      hint:
        error.hint ??
        'it is of no stage of this rotation: bring it back from a backup, or take it away, and try again',
      cause: error,
    });
  }
  const [lowest, highest] = boundsOf(found);
  const order = orderOf(stage);
  if (highest > order) {
    throw new KubepkiError(
      'conflict',
      `this node is further with ${authority.name} already: ${saidOf(found)}`,
      {
        file: findAuthority(files.inventory, authority.name)?.certificatePath,
        hint: `${command('ca rotate')} says what is next`,
      },
    );
  }
  if (lowest < order - 1) {
    const next = stages[lowest + 1];
    throw new KubepkiError('conflict', `this node is not that far with ${authority.name}: ${saidOf(found)}`, {
      file: findAuthority(files.inventory, authority.name)?.certificatePath,
      hint: `what comes first: ${command(`ca rotate ${next ?? ''}`)}`,
    });
  }
  return lowest < order;
}

/** In a few words. */
export function saidOf(found: Reached): string {
  switch (found.kind) {
    case 'at':
      return `at ${found.first}`;
    case 'between':
      return `between ${found.from} and ${found.to}`;
    case 'unclear':
      return 'unclear';
  }
}

/** The keys of the CA are kept elsewhere: neither the old one nor the new one is on this node. */
export function isElsewhere({ authority, keptKey }: RotatedHere, { keys }: RotationFiles): boolean {
  return keptKey === undefined && (keys.get(authority.name)?.content.status ?? 'missing') === 'missing';
}

/** @throws KubepkiError not-found */
function nextKeyOf({ authority, kept, keptKey }: RotatedHere, { keys }: RotationFiles): PrivateKey {
  const inUse = keys.get(authority.name)?.content;
  const isSwitched =
    inUse?.status === 'present' && isSameKey(publicKeyOf(inUse.value), authority.next.publicKey);
  const key = isSwitched ? inUse.value : keptKey;
  if (key === undefined) throw missingKey(kept);
  return key;
}

function editsOf(stage: LiveStage, rotated: RotatedHere, files: RotationFiles): FileChange[] {
  const { authority, kept } = rotated;
  const { signing } = files;
  const isCluster = authority.name === 'ca';
  const trusted = [
    ...authorityFile(stage, authority, files),
    ...(stage === 'switch'
      ? completedBySwitch(authority, files)
      : trustedByKubeconfigs(stage, authority, files)),
  ];
  switch (stage) {
    case 'trust':
      return trusted;
    case 'switch':
      // Nothing here signs; what the new CA signs elsewhere comes home by "certs install".
      if (isElsewhere(rotated, files)) return trusted;
      return [
        ...trusted,
        ...(isCluster ? signWith(authority.next, files) : []),
        ...exchangeKeys(authority, files, kept, nextKeyOf(rotated, files)),
      ];
    case 'distrust':
      return [...trusted, ...(isCluster ? joinSigning(authority, files) : [])];
    case 'finish':
      return [
        ...withoutCross(authority, files),
        ...(isCluster && signing?.split.before !== undefined
          ? [{ target: signing.split, after: undefined }]
          : []),
      ];
  }
}

function missingKey({ next }: KeptKeys): KubepkiError {
  return new KubepkiError('not-found', 'the key of the new CA is not on this node', {
    file: next.path,
    hint: 'bring it from the control plane where the rotation was prepared: "kubepki ca rotate export --with-keys" there, "kubepki ca rotate prepare --import" here',
  });
}

/** The certificates that the old CA has signed, each to be signed by the new one, with the cross-certificate behind it. */
function leavesOf(
  rotated: RotatedHere,
  files: RotationFiles,
  { now, validityMs, encryptionAlgorithm, command }: StageSettings,
): readonly Renewable[] {
  if (isElsewhere(rotated, files)) return [];
  const { authority, kept } = rotated;
  const { inventory, keys } = files;
  const entry = findAuthority(inventory, authority.name);
  if (entry === undefined) return [];
  const bundle = wantedAuthorities('switch', authority, present(entry.bundle));
  const paths = { certificate: entry.certificatePath, key: kept.next.path };
  const issuer: Issuer = { ...localIssuer([authority.next], nextKeyOf(rotated, files), now, paths), bundle };
  const switched = withBundle(inventory, authority, bundle);
  const specs = notOfNext(authority, switched).map(({ spec }) => spec);
  const planned = planRenewals(switched, specs, {
    now,
    validityMs,
    encryptionAlgorithm,
    issuers: new Map([[authority.name, { status: 'present', value: issuer }]]),
    keys,
    command,
    due: undefined,
    findings: [],
    insisted: true,
    sans: undefined,
  });
  return planned.map((one) => {
    if (one.status === 'refused') throw one.error;
    if (one.status !== 'renewable')
      throw new TypeError(`${one.spec.name} was to be renewed, and is ${one.status}`);
    const { renewable } = one;
    const [leaf] = renewable.chain;
    // What is behind the old leaf belongs to the old CA; behind the new one is what leads from the new CA to the old one.
    const isKubelets = one.spec === kubeletKubeconfig;
    return { ...renewable, chain: isKubelets ? [leaf] : [leaf, authority.cross] };
  });
}

function notOfNext({ name, next }: RotatedAuthority, { certificates }: Inventory): CertificateEntry[] {
  return certificates
    .filter(({ spec, state }) => spec.caName === name && state.status !== 'missing')
    .filter(({ state }) => !isIssuedBy(present<{ readonly chain: Chain }>(state).chain[0], next));
}

function withBundle(inventory: Inventory, { name }: RotatedAuthority, bundle: Chain): Inventory {
  const authorities = inventory.authorities.map((entry) =>
    entry.spec.name === name ? { ...entry, bundle: { status: 'present', value: bundle } as const } : entry,
  );
  return { ...inventory, authorities };
}
