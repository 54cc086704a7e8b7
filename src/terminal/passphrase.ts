import { KubepkiError } from '../errors/error.ts';
import { shellWord } from '../errors/shell-word.ts';
import { readRegularFile } from '../filesystem/regular-file.ts';
import type { FileSystemRoot } from '../filesystem/root.ts';
import type { Terminal } from './terminal.ts';

/**
 * Of a new passphrase. Each guess costs its maker most of a second and 128 MiB (pki/key/sealed-keys.ts), but the file may be kept for
 * ever: twelve letters and digits of chance are out of reach.
 */
const leastLength = 12;

interface Asked {
  /** `--passphrase-file`: its first line; undefined: the person is asked. */
  readonly file: string | undefined;
  readonly root: FileSystemRoot;
  /** What it is for, such as `the sealed keys`. */
  readonly of: string;
  /** It is chosen now: it must be long enough, and a person types it twice. */
  readonly isNew: boolean;
}

/**
 * The passphrase of a file, never shown.
 * @throws KubepkiError usage where nobody can be asked, declined where no answer is given; for a file, why it cannot be used
 */
export async function passphraseFor(
  { file, root, of, isNew }: Asked,
  terminal: Pick<Terminal, 'interactive' | 'interruptions'>,
): Promise<string> {
  if (file !== undefined) return requireLength(readPassphraseFile(root, file), isNew, root.locate(file));
  if (!terminal.interactive) {
    throw new KubepkiError('usage', `the passphrase of ${of} is needed, and there is no terminal to ask on`, {
      hint: 'put it in a file that only you can read: --passphrase-file FILE',
    });
  }
  const ask = hiddenQuestions(terminal);
  try {
    const passphrase = requireLength(await ask(`Passphrase of ${of}: `), isNew);
    if (!isNew || (await ask('The same again: ')) === passphrase) return passphrase;
    throw new KubepkiError('declined', 'the passphrase was not typed the same twice');
  } finally {
    ask.end();
  }
}

/** @throws KubepkiError not-found, no-permission, not-a-file, too-large, io, usage */
function readPassphraseFile(root: FileSystemRoot, given: string): string {
  const path = root.locate(given);
  const file = readRegularFile(root.resolve(path), path);
  if (file === undefined) throw new KubepkiError('not-found', 'no such file', { file: path });
  const { mode, uid, foreign } = file.facts;
  if (foreign) {
    throw new KubepkiError('no-permission', `holds a passphrase, and belongs to uid ${String(uid)}`, {
      file: path,
      hint: `if nobody else has read it, make it yours: chown root ${shellWord(path)}`,
    });
  }
  if ((mode & 0o077) !== 0) {
    throw new KubepkiError('no-permission', 'holds a passphrase, and other users may read it', {
      file: path,
      hint: `if nobody has read it, make it yours alone: chmod 600 ${shellWord(path)}`,
    });
  }
  const [line = ''] = textOf(file.bytes, path).split(/\r?\n/, 1);
  if (line === '') throw new KubepkiError('usage', 'has no passphrase in its first line', { file: path });
  return line;
}

/** Bytes that are no text would all become one character, and a passphrase of chance a poor one. What an editor puts first is not of it. */
function textOf(bytes: Buffer, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const hint = 'take letters and digits: openssl rand -base64 18';
    throw new KubepkiError('usage', 'holds a passphrase that is no text (UTF-8)', { file, hint, cause });
  }
}

function requireLength(passphrase: string, isNew: boolean, file?: string): string {
  if (!isNew || Array.from(passphrase).length >= leastLength) return passphrase;
  throw new KubepkiError('usage', `the passphrase has fewer than ${String(leastLength)} characters`, {
    file,
    hint: 'take one of chance: openssl rand -base64 18',
  });
}

interface Questions {
  /** @throws KubepkiError declined */
  (question: string): Promise<string>;
  /** What is typed is shown again. */
  end(): void;
}

const [interrupt, end, killLine] = ['\u0003', '\u0004', '\u0015'];

/**
 * Asks without echo. The terminal's own line editing is off then, so that the few keys that matter are done here; readline would show
 * what is typed.
 */
function hiddenQuestions({ interruptions }: Pick<Terminal, 'interruptions'>): Questions {
  const { stdin, stderr } = process;
  // What is pasted may answer both questions.
  let typed: string[] = [];
  let arrived: () => void = () => undefined;
  const take = (text: string): void => {
    // An arrow or another key that types nothing.
    if (text.startsWith('\u001b')) return;
    typed.push(...Array.from(text));
    arrived();
  };
  stdin.setRawMode(true);
  stdin.setEncoding('utf8').on('data', take);
  const restore = (): undefined => {
    stdin.setRawMode(false);
  };
  const forget = interruptions.onInterrupt(restore);
  const next = async (): Promise<string> => {
    for (;;) {
      const key = typed.shift();
      if (key !== undefined) return key;
      await new Promise<void>((resolve) => {
        arrived = resolve;
      });
    }
  };
  const ask = async (question: string): Promise<string> => {
    stderr.write(question);
    let answer: string[] = [];
    for (;;) {
      const key = await next();
      if (key === '\r' || key === '\n') break;
      if (key === end && answer.length === 0) {
        stderr.write('\n');
        throw new KubepkiError('declined', 'no passphrase was given');
      }
      if (key === interrupt) {
        typed = [];
        restore();
        process.kill(process.pid, 'SIGINT');
      } else if (key === killLine) answer = [];
      else if (key === '\u007f' || key === '\b') answer.pop();
      else if (key >= ' ') answer.push(key);
    }
    stderr.write('\n');
    return answer.join('');
  };
  return Object.assign(ask, {
    end: () => {
      forget();
      stdin.off('data', take);
      restore();
      stdin.pause();
    },
  });
}
