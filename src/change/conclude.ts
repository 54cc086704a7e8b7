import { componentsToRestart, type ChangeReport } from '../operations/change/change-report.ts';
import { changeDocument } from '../render/change/change-document.ts';
import type { StateDirectory } from '../storage/state-directory.ts';
import { hookFacts } from './deploy-hook.ts';
import type { DeployHookOption } from '../flags/deploy-hook-option.ts';
import { exitCodes, type ExitCode } from '../terminal/exit-code.ts';
import type { NodeOptions } from '../node/node-options.ts';
import { noteChange } from './note-change.ts';
import type { OutputOption } from '../flags/output-option.ts';
import { noteOwedHooks, runHooks } from './pending-hooks.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** What a run of a command that changes something has come to. */
export type Conclusion =
  | { readonly kind: 'interrupted'; readonly code: ExitCode }
  | {
      readonly kind: 'finished';
      readonly code: ExitCode;
      readonly report: ChangeReport;
      /** The report as people read it; empty where stderr has said it all. */
      readonly text: string;
      /** What is said on stderr after the result. */
      readonly remarks?: () => void;
    };

/**
 * Says what a run has come to, and does what is to follow it. Called without the lock: a reader may be slow, and a hook may
 * want the lock itself.
 * @param restart comes before the hook, unless nothing was written; resolves to another exit code when it failed
 * @param state of a command that may have a hook: where it is known which are owed still
 */
export async function conclude(
  conclusion: Conclusion,
  options: OutputOption & DeployHookOption & NodeOptions & { readonly restart?: boolean },
  terminal: Terminal,
  restart?: () => Promise<ExitCode | undefined>,
  state?: StateDirectory,
): Promise<ExitCode> {
  if (conclusion.kind === 'interrupted') return conclusion.code;
  const { code, report, text, remarks } = conclusion;
  const { output, deployHook } = options;
  terminal.result(output === 'text' ? text : changeDocument(report, componentsToRestart(report), output));
  remarks?.();
  noteChange(report, options, terminal);
  if (code === exitCodes.error) return code;
  if (report.dryRun) {
    if (state !== undefined) noteOwedHooks(state, { willRun: deployHook !== undefined }, terminal);
    return code;
  }
  const failed = await restart?.();
  // The certificates have changed, whether everything has been restarted or not: the hook is for their other
  // users.
  const well = await runHooks(deployHook, hookFacts(report), state, terminal);
  return failed ?? (well ? code : exitCodes.changedButNotFinished);
}
