import { setTimeout as sleep } from 'node:timers/promises';
import type { CaName } from '../../catalog/catalog.ts';
import { changeNode, type PlannedRun } from '../../change/change-node.ts';
import { KubepkiError } from '../../errors/error.ts';
import { readProcesses, type Process } from '../../inventory/processes.ts';
import type { Node } from '../../node/node-options.ts';
import { readRotatedFiles } from '../../node/rotation/rotated-files.ts';
import { requireRotation } from '../../node/rotation/rotation.ts';
import { flagValues } from '../../operations/node/component-flags.ts';
import { requireWritten } from '../../operations/change/read-back.ts';
import type { Finding } from '../../operations/rotation/conditions.ts';
import { signWith } from '../../operations/rotation/edits.ts';
import { rotationReport } from '../../operations/rotation/rotation-report.ts';
import { signingFlag, type SigningFile } from '../../operations/rotation/signing-file.ts';
import { toleranceMs } from '../../operations/verification/live.ts';
import { exitCodes, type ExitCode } from '../../terminal/exit-code.ts';
import type { Terminal } from '../../terminal/terminal.ts';
import type { RotateOptions } from './rotate-options.ts';

const component = 'kube-controller-manager';
const defaultStartTimeoutMs = 5 * 60_000;
const betweenMs = 200;

/**
 * Why kube-controller-manager may sign with ca.crt when that comes to hold two CAs; undefined: it does not, or this run will have it
 * restarted before.
 */
export function whySigning(node: Node, { restart }: RotateOptions): Finding | undefined {
  const { signing } = readRotatedFiles(node);
  // A restart is made after the manifest has changed, and waits for what it has restarted.
  if (signing === undefined || (restart === true && signing.kind === 'authority')) return undefined;
  if (node.layout.root.directory !== '/') {
    return { kind: 'unmeasured', reason: `the ${component} of another root is not seen here` };
  }
  // What is written now is what the kubelet starts: this run waits for that.
  if (signing.kind === 'authority' || isRunning(signing)) return undefined;
  return { kind: 'unmet', reason: `no ${component} runs with --${signingFlag}=${signing.flagValue}` };
}

/** Has kube-controller-manager sign with a file of its own, and waits until it does. */
export async function splitFirst(
  names: readonly CaName[] | undefined,
  node: Node,
  options: RotateOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const plan = (): PlannedRun => {
    const files = readRotatedFiles(node);
    const authority = requireRotation(node).authorities.find(
      ({ name }) => name === 'ca' && (names === undefined || names.includes(name)),
    );
    const changes = authority === undefined ? [] : signWith(authority.old, files);
    const path = files.signing?.split.path ?? '';
    return {
      now: new Date(),
      errors: [],
      names: [],
      make: () =>
        Promise.resolve({
          changes,
          signedBy: [],
          certificates: [],
          stage: 'trust',
          components: [component],
          verify: (read) => {
            requireWritten(changes, read);
          },
        }),
      report: (step) =>
        rotationReport({ stage: 'trust', authorities: [], renewables: [], filesOf: () => new Set() }, step),
      text: () => `${component} signs with ${path} from now on, so that ca.crt can hold two CAs\n`,
    };
  };
  const code = await changeNode(node, plan, options, besideDocument(options, terminal), { inUse: true });
  return code === exitCodes.done ? waitFor(node, options, terminal) : code;
}

async function waitFor(node: Node, options: RotateOptions, terminal: Terminal): Promise<ExitCode> {
  // Another root's is taken for running: the operator has given his word.
  if (node.layout.root.directory !== '/') return exitCodes.done;
  const { signing } = readRotatedFiles(node);
  if (signing === undefined) return exitCodes.done;
  const deadline = performance.now() + (options.startTimeout ?? defaultStartTimeoutMs);
  const progress = terminal.progress(`waiting for ${component} to run with its new manifest`);
  try {
    while (!isRunning(signing)) {
      if (performance.now() > deadline) {
        terminal.error(
          new KubepkiError(
            'not-restarted',
            `no ${component} runs with --${signingFlag}=${signing.flagValue}`,
            {
              file: signing.manifest.path,
              hint: `see why: crictl ps -a --name ${component}; then the same command again`,
            },
          ),
        );
        return exitCodes.changedButNotFinished;
      }
      await sleep(betweenMs);
    }
    // What changes so shortly after a start is not told from what changed before it.
    const startedMs = Math.max(...processesNow().map(({ startedAt }) => startedAt.getTime()));
    await sleep(Math.max(0, startedMs + toleranceMs + 1000 - Date.now()));
    return exitCodes.done;
  } finally {
    progress.end();
  }
}

function processesNow(): Process[] {
  return readProcesses(new Set([component]));
}

function isRunning({ flagValue }: SigningFile): boolean {
  const processes = processesNow();
  return (
    processes.length > 0 &&
    processes.every(({ words }) => flagValues(words, signingFlag).at(-1) === flagValue)
  );
}

/** The document of the stage is the only one on stdout. */
function besideDocument({ output }: RotateOptions, terminal: Terminal): Terminal {
  return output === 'text' ? terminal : { ...terminal, result: () => undefined };
}
