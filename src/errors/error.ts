/**
 * The closed set of what can go wrong. The code is what tests and scripts match on; the message is for people.
 *
 * - `usage`: the command line itself is wrong
 * - `not-found`, `not-a-file`, `too-large`, `no-permission`, `io`: a path could not be read or written
 * - `bad-pem`, `bad-certificate`, `bad-request`, `bad-key`, `encrypted-key`, `unsupported-key`: a file that is not what it should be
 * - `bad-issuer`: a CA that must not or cannot sign (expired, not a CA, its key belongs to another certificate)
 * - `foreign-issuer`: a kubeconfig of another cluster, in a directory that the command line does not name
 * - `bad-kubeconfig`, `bad-config`, `bad-manifest`: a YAML document that cannot be used
 * - `verification`: what was read back from disk is not what was to be written
 * - `unsupported-config`: a kubeadm configuration of a version that is not known here, and right for other programs
 * - `conflict`: two changes to one file, or a file changed under us
 * - `in-use`: something that is to go is still needed
 * - `declined`: the answer to a question was no
 * - `busy`: another run holds the lock
 * - `unfinished`: a change stopped half-way and needs a decision
 * - `no-quorum`: stopping an etcd member would stop the cluster, or it cannot be told
 * - `not-restarted`: a component did not stop, did not come back, or serves another certificate
 * - `cluster`: the API server could not be asked, or did not give what it was asked for
 * - `refused`: a signing request was left as it is, for it fails a check
 * - `bad-transfer`: a file of another node that is not what `ca rotate export` makes, or is of another cluster
 * - `bad-document`: a text that is not what this program prints on other nodes
 * - `no-backup`: there is no such backup, or it must not be brought back
 */
export type ErrorCode =
  | 'usage'
  | 'not-found'
  | 'not-a-file'
  | 'too-large'
  | 'no-permission'
  | 'io'
  | 'bad-pem'
  | 'bad-request'
  | 'bad-certificate'
  | 'bad-key'
  | 'encrypted-key'
  | 'unsupported-key'
  | 'bad-issuer'
  | 'foreign-issuer'
  | 'bad-kubeconfig'
  | 'bad-config'
  | 'unsupported-config'
  | 'bad-manifest'
  | 'verification'
  | 'conflict'
  | 'in-use'
  | 'declined'
  | 'busy'
  | 'unfinished'
  | 'no-quorum'
  | 'not-restarted'
  | 'cluster'
  | 'refused'
  | 'bad-transfer'
  | 'bad-document'
  | 'no-backup';

export interface ErrorDetails {
  /** The file it is about, as the operator can open it. */
  readonly file?: string | undefined;
  /** The next step, in the imperative; printed on a line of its own. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * Every error a user can meet. The message is one line, lower case, without a period and without the file's name.
 * Render makes control characters harmless.
 */
export class KubepkiError extends Error {
  override readonly name = 'KubepkiError';
  readonly code: ErrorCode;
  readonly file: string | undefined;
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.file = details.file;
    this.hint = details.hint;
  }

  /** The same error, said of a file; keeps a file that is already named. */
  about(file: string): KubepkiError {
    return new KubepkiError(this.code, this.message, {
      file: this.file ?? file,
      hint: this.hint,
      cause: this.cause,
    });
  }

  /** `file: message`, the one line a user sees. Not `line`: JavaScriptCore, which Bun runs on, gives errors a number there. */
  get oneLine(): string {
    return this.file === undefined ? this.message : `${this.file}: ${this.message}`;
  }
}

/** Runs something that reads a file; a KubepkiError it throws names that file, unless it names one already. */
export function naming<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof KubepkiError ? error.about(file) : error;
  }
}
