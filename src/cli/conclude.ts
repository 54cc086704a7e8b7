import { componentsToRestart, type ChangeReport } from '../operations/change-report.ts';
import { changeDocument } from '../render/change-document.ts';
import type { ExitCode } from './exit-code.ts';
import type { OutputOption } from './output-option.ts';
import type { Terminal } from './terminal.ts';

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

/** Says what a run has come to. Called without the lock: a reader may be slow. */
export function conclude(conclusion: Conclusion, { output }: OutputOption, terminal: Terminal): ExitCode {
  if (conclusion.kind === 'interrupted') return conclusion.code;
  const { code, report, text, remarks } = conclusion;
  terminal.result(output === 'text' ? text : changeDocument(report, componentsToRestart(report), output));
  remarks?.();
  return code;
}
