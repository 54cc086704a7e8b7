import { changeNode, type PlannedRun, type Way } from '../../change/change-node.ts';
import type { Change } from '../../change/session.ts';
import type { FileTarget } from '../../changeset/change-set.ts';
import { commandLine } from '../../errors/command-line.ts';
import { KubepkiError } from '../../errors/error.ts';
import { shellWord } from '../../errors/shell-word.ts';
import { parseAccepted } from '../../flags/names/accepted.ts';
import { unknownWord } from '../../flags/names/unknown-name.ts';
import { longOf, retyped, type FlagName } from '../../flags/table.ts';
import { askTokenKeys } from '../../node/ask-token-keys.ts';
import { namedAlgorithm, openNode, readConfiguration, type Node } from '../../node/node-options.ts';
import { readTokenKeyNode, type TokenKeyNode } from '../../node/token-keys.ts';
import { chooseKey } from '../../operations/issuing/key-choice.ts';
import { requireWritten } from '../../operations/change/read-back.ts';
import type { TokenCluster } from '../../operations/token-key/cluster.ts';
import { conditionNames, trustConditions, type Condition } from '../../operations/token-key/conditions.ts';
import { hasManifest, manifestFaults } from '../../operations/token-key/manifest-use.ts';
import {
  knownNextKey,
  planFinish,
  planSwitch,
  planTrust,
  type StagePlan,
  type StageSettings,
} from '../../operations/token-key/plan-stage.ts';
import { nextStage, nextSteps, otherKeyId } from '../../operations/token-key/progress.ts';
import { tokenKeyReport } from '../../operations/token-key/report.ts';
import {
  tokenKeyStages,
  tokenKeyState,
  type TokenKeyStage,
  type TokenKeyState,
} from '../../operations/token-key/state.ts';
import { publicKeyOf, type PrivateKey } from '../../pki/key/private-key.ts';
import { keyId } from '../../pki/key/public-key.ts';
import { stageLines } from '../../render/change/token-key.ts';
import type { ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import { broughtKey } from './brought-key.ts';
import { destroyOldKey } from './destroy-old-key.ts';
import { exportKey } from './export-key.ts';
import type { SaRotateOptions } from './sa-rotate-options.ts';
import { showTokenKeyStatus } from './token-key-status.ts';
import { weigh } from './weigh.ts';

/**
 * @param word the stage; undefined: only what is next is said
 * @param file of `export`
 */
export async function rotateTokenKey(
  [word, file]: readonly [string | undefined, string | undefined],
  options: SaRotateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  if (word === 'export') {
    requireFitting(word, options);
    return exportKey(file, options, terminal);
  }
  const to = stageOf(word);
  requireFitting(to, options);
  if (file !== undefined) throw new KubepkiError('usage', `too many arguments: ${JSON.stringify(file)}`);
  if (to === undefined) return showTokenKeyStatus(options, terminal, { isShort: true });
  const node = openNode(options, await readConfiguration(options, terminal));
  const brought = await broughtKey(node, options, terminal);
  const progress = terminal.progress('asking the cluster');
  const cluster = await askTokenKeys(node, options).finally(() => {
    progress.end();
  });
  if (options.destroyOldKey !== undefined)
    return destroyOldKey(node, options.destroyOldKey, { cluster, options }, terminal);
  const settings = { command: commandLine(node.flags), brought };
  const plan = (way: Way): Promise<PlannedRun> =>
    decided(node, { to, settings, cluster, options, way }, terminal);
  return changeNode(node, plan, options, terminal, { inUse: true });
}

function stageOf(word: string | undefined): TokenKeyStage | undefined {
  const stage = tokenKeyStages.find((one) => one === word);
  if (stage !== undefined || word === undefined) return stage;
  throw unknownWord('stage', word, {
    allowed: [...tokenKeyStages, 'export'],
    otherwise: `use one of: ${tokenKeyStages.join(', ')}, export`,
  });
}

type Word = TokenKeyStage | 'export';

/** @throws KubepkiError usage */
function requireFitting(to: Word | undefined, options: SaRotateOptions): void {
  parseAccepted(options.accept ?? [], conditionNames);
  const only: readonly (readonly [FlagName & keyof SaRotateOptions, readonly Word[]])[] = [
    ['key', ['trust']],
    ['passphraseFile', ['trust', 'export']],
    ['destroyOldKey', ['finish']],
    ['dryRun', [...tokenKeyStages, 'export']],
    ...(['accept', 'restart', 'deployHook'] as const).map((name) => [name, tokenKeyStages] as const),
  ];
  for (const [name, stages] of only) {
    if (options[name] === undefined || (to !== undefined && stages.includes(to))) continue;
    throw new KubepkiError('usage', `${longOf(name)} goes with ${stages.join(', ')}`, {
      hint: 'see where this node is, and what is next: kubepki sa rotate',
    });
  }
}

interface Wanted {
  readonly to: TokenKeyStage;
  readonly settings: StageSettings;
  readonly cluster: TokenCluster | undefined;
  readonly options: SaRotateOptions;
  readonly way: Way;
}

async function decided(node: Node, wanted: Wanted, terminal: Terminal): Promise<PlannedRun> {
  const { to, settings, options } = wanted;
  const now = new Date();
  const tokenNode = readTokenKeyNode(node);
  const { files, pods, named } = tokenNode;
  const refused = (errors: readonly KubepkiError[], onRefusal?: () => void): PlannedRun => ({
    now,
    errors,
    ...(onRefusal === undefined ? {} : { onRefusal }),
    names: [],
    make: () => Promise.reject(new TypeError('a refused stage is never made')),
    report: (stage) => tokenKeyReport(to, files, undefined, stage),
    text: () => '',
  });
  let state: TokenKeyState;
  let planned: { readonly plan: StagePlan; readonly isMade: boolean };
  try {
    state = tokenKeyState(files);
    planned = await planStage(node, wanted, { state, tokenNode }, terminal);
  } catch (error) {
    if (error instanceof KubepkiError) return refused([error]);
    throw error;
  }
  const { plan, isMade } = planned;
  const isChange = plan.changes.length > 0;
  const faults = isChange ? manifestFaults(pods, named, files) : [];
  if (faults.length > 0) return refused(faults);
  const conditions = isChange ? [...manifestCondition(tokenNode), ...conditionsOf(state, wanted, now)] : [];
  const { errors, onRefusal, beforehand } = weigh(conditions, options, {
    ...{ node, terminal },
    command: `sa rotate ${to}`,
  });
  if (errors.length > 0) return refused(errors, onRefusal);
  const change: Change = {
    changes: plan.changes,
    signedBy: [],
    certificates: plan.changed.map((name) => ({ name, old: undefined, new: undefined })),
    verify: (read) => {
      requireWritten(plan.changes, read);
    },
    newDirectoryMode: 0o700,
  };
  return {
    now,
    errors: [],
    beforehand: () => {
      for (const text of isChange ? notesOf(to, conditions) : []) terminal.note(text);
      beforehand();
      if (plan.changed.includes('sa.key')) warnOfReaders(files.key.target, terminal);
    },
    names: plan.changed,
    make: () => Promise.resolve(change),
    report: (stage) => tokenKeyReport(to, files, plan, stage),
    text: ({ dryRun }) =>
      stageLines(
        {
          stage: to,
          signing: keyId(plan.state.signing),
          other: dryRun && isMade ? undefined : otherKeyId(plan.state),
          files: plan.changes.map(({ target, after }) =>
            after === undefined ? `${target.path} (removed)` : target.path,
          ),
        },
        { dryRun },
      ),
    remarks: ({ dryRun, failed }) => {
      if (dryRun || failed) return;
      if (settings.brought !== undefined) {
        terminal.note(
          `the next key is kept here now, and its copy is not needed any more: rm ${shellWord(settings.brought.path)}`,
        );
      }
      for (const step of nextSteps(
        plan.state,
        files,
        commandLine([...retyped(options, ['manifestsDir']), ...node.flags]),
      ))
        terminal.hint(step);
    },
  };
}

/** The file keeps its mode, and the new key would be known to as many as the old one. */
function warnOfReaders({ path, before }: FileTarget, terminal: Terminal): void {
  if (before === undefined || (before.mode & 0o007) === 0) return;
  terminal.warning(`${path}: every user of this machine may read it, the new key too`);
  terminal.hint(`chmod 0600 ${shellWord(path)}`);
}

/** @returns with `isMade`: the next key is made by this run */
async function planStage(
  node: Node,
  { to, settings, way }: Wanted,
  { state, tokenNode: { files } }: { readonly state: TokenKeyState; readonly tokenNode: TokenKeyNode },
  terminal: Terminal,
): Promise<{ readonly plan: StagePlan; readonly isMade: boolean }> {
  switch (to) {
    case 'trust': {
      const known = knownNextKey(state, files, settings);
      const next = known ?? (await makeKey(node, state, files.publicKeys.target.path, way, terminal));
      return { plan: planTrust(state, files, next, settings), isMade: known === undefined };
    }
    case 'switch':
      return { plan: planSwitch(state, files, settings), isMade: false };
    case 'finish':
      return { plan: planFinish(state, files, settings), isMade: false };
  }
}

/** As the key in use, or as the configuration says. */
async function makeKey(
  node: Node,
  { signing }: TokenKeyState,
  file: string,
  { generateKeys }: Way,
  terminal: Terminal,
): Promise<PrivateKey> {
  const { algorithm } = chooseKey({ publicKey: signing }, namedAlgorithm(node), file);
  const [key] = await generateKeys(
    [file],
    () => algorithm,
    (_file, made) => made,
    terminal,
  );
  if (key === undefined) throw new TypeError('no key was made');
  return key;
}

function manifestCondition({ pods, files }: TokenKeyNode): Condition[] {
  return hasManifest(pods)
    ? []
    : [
        {
          name: 'manifests',
          state: 'unknown',
          says: `there is no manifest of kube-apiserver that would say whether it reads ${files.publicKeys.target.path}`,
          hint: 'name their directory: --manifests-dir DIR',
          mayBeBroken: false,
        },
      ];
}

function conditionsOf(
  state: TokenKeyState,
  { to, cluster, settings }: Wanted,
  now: Date,
): readonly Condition[] {
  if (to === 'trust') {
    const { brought } = settings;
    return trustConditions({ cluster, now }, state, brought && publicKeyOf(brought.key));
  }
  const next = nextStage(state, { cluster, now });
  return next.stage === to ? next.conditions : [];
}

function notesOf(to: TokenKeyStage, conditions: readonly Condition[]): string[] {
  const met = conditions.filter(({ state }) => state === 'met').map(({ says }) => says);
  return met.map((says) => `${to}: ${says}`);
}
