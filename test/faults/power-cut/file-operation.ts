import { relative } from 'node:path';
import { parseStrace, type StraceCall } from '../strace-call.ts';

/** What a run did to a directory, in its order. Paths are relative to it; '' is the directory itself. */
export type FileOperation =
  | { readonly kind: 'create' | 'mkdir' | 'chmod'; readonly path: string; readonly mode: number }
  /** Makes the file where it is not there. */
  | { readonly kind: 'open'; readonly path: string; readonly mode: number }
  | { readonly kind: 'truncate'; readonly path: string; readonly length: number }
  | { readonly kind: 'chown'; readonly path: string; readonly uid: number; readonly gid: number }
  | { readonly kind: 'write'; readonly path: string; readonly data: Buffer; readonly offset: number }
  | { readonly kind: 'rename' | 'link'; readonly path: string; readonly to: string }
  | { readonly kind: 'fsync' | 'unlink' | 'rmdir'; readonly path: string }
  /** On stdout: whoever reads it may count on it from then on. */
  | { readonly kind: 'say'; readonly text: string };

/** How the operation is called in a message. */
export function operationName(operation: FileOperation): string {
  return operation.kind === 'say' ? 'say' : `${operation.kind} ${operation.path}`;
}

/**
 * The operations of a traced run, from strace's lines. Calls that failed did nothing and are left out.
 * @throws Error for a call that changes the directory in a way that is not understood here
 */
export function fileOperations(log: readonly string[], directory: string): FileOperation[] {
  return log.flatMap((line) => {
    const call = parseStrace(line);
    if (call === undefined || call.result < 0) return [];
    if (call.name === 'write' && call.descriptor?.number === 1) {
      return [{ kind: 'say', text: text(call).toString() }];
    }
    const paths = [call.descriptor?.path, ...(call.descriptor === undefined ? call.strings : [])]
      .flatMap((path) => (path === undefined ? [] : [relative(directory, path.toString())]))
      .filter((path) => !path.startsWith('..'));
    const [path, to] = paths;
    return path === undefined ? [] : operation(call, path, to);
  });
}

function operation(call: StraceCall, path: string, to: string | undefined): FileOperation[] {
  const { name, numbers, flags } = call;
  const [first = NaN, second = NaN] = numbers;
  switch (name) {
    case 'openat':
      if (!flags.includes('O_CREAT')) {
        if (flags.includes('O_TRUNC')) throw unknown(call);
        return [];
      }
      if (flags.includes('O_TRUNC')) throw unknown(call);
      // Without it, the call may as well have opened what was there.
      return [{ kind: flags.includes('O_EXCL') ? 'create' : 'open', path, mode: first }];
    case 'ftruncate':
      return [{ kind: 'truncate', path, length: first }];
    case 'pwrite64':
      // The length, then the offset.
      return [{ kind: 'write', path, data: text(call).subarray(0, call.result), offset: second }];
    case 'fsync':
    case 'unlink':
    case 'rmdir':
      return [{ kind: name, path }];
    case 'mkdir':
      return [{ kind: 'mkdir', path, mode: first }];
    case 'fchmod':
      return [{ kind: 'chmod', path, mode: first }];
    case 'fchown':
      return [{ kind: 'chown', path, uid: first, gid: second }];
    case 'rename':
    case 'link':
      if (to === undefined) throw unknown(call);
      return [{ kind: name, path, to }];
    default:
      throw unknown(call);
  }
}

function text({ strings: [data], name, result }: StraceCall): Buffer {
  if (data === undefined || data.length < result) throw new Error(`${name}: strace did not show all of it`);
  return data;
}

function unknown({ name, flags }: StraceCall): Error {
  return new Error(`${[name, ...flags].join(' ')}: the model of the disk does not know what this leaves`);
}
