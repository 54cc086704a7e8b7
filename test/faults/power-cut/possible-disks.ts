import type { DiskImage } from './disk-image.ts';
import type { DirectoryNode, DiskModel, Fate, FileContent, FileNode } from './disk-model.ts';

export interface PossibleDisk {
  /** What became of what was not flushed, for messages. */
  readonly fate: string;
  readonly image: DiskImage;
}

const nothing: Fate = { survivors: () => [], content: ({ flushed }) => flushed };
const everything: Fate = { survivors: ({ unflushed }) => unflushed, content: ({ now }) => now };

/** What the running system sees. */
export function volatileImage(model: DiskModel): DiskImage {
  return model.image(everything);
}

/**
 * Disks that a power cut at this moment may leave: both extremes, one directory written back and the others not, every
 * name there but its content torn, and chance between them. The list is a choice: all of them would be too many.
 * @param random uniform in [0, 1)
 */
export function possibleDisks(model: DiskModel, random: () => number): PossibleDisk[] {
  const directories = model.unflushedDirectories();
  const files = model.unflushedFiles();
  const fates: (readonly [string, Fate])[] = [
    ['nothing unflushed survived', nothing],
    ['everything survived', everything],
    ...directories.map((one, index): readonly [string, Fate] => [
      `of the unflushed entries those of one directory (${String(index)}) survived`,
      { ...everything, survivors: (directory) => (directory === one ? directory.unflushed : []) },
    ]),
    ...(files.length === 0
      ? []
      : tears.map(([name, tear]): readonly [string, Fate] => [
          `every entry survived, unflushed content is ${name}`,
          { ...everything, content: tear },
        ])),
    ...[prefix, prefix, subset, subset].map((choose): readonly [string, Fate] => [
      `chance: a ${choose.name} of each directory's unflushed entries survived`,
      randomFate({ directories, files }, choose, random),
    ]),
  ];
  return fates.map(([fate, chosen]) => ({ fate, image: model.image(chosen) }));
}

/** What may be found in a file whose content was not flushed. */
const tears: readonly (readonly [string, (file: FileNode) => FileContent])[] = [
  ['as it was', ({ flushed }) => flushed],
  ['half there', torn(({ data }) => data.subarray(0, data.length >> 1))],
  // The length is metadata, and may be written before the blocks.
  ['zeros', torn(({ data }) => Buffer.alloc(data.length))],
];

function torn(tear: (content: FileContent) => Buffer): (file: FileNode) => FileContent {
  return ({ now, flushed }) => (now === flushed ? now : { ...now, data: tear(now) });
}

/** What was done first is written back first: so do file systems with one journal. */
function prefix<T>(changes: readonly T[], random: () => number): readonly T[] {
  return changes.slice(0, Math.floor(random() * (changes.length + 1)));
}

/** Each name on its own: an fsync of one file may bring its name along, and none of its neighbours' (btrfs). */
function subset<T>(changes: readonly T[], random: () => number): readonly T[] {
  return changes.filter(() => random() < 0.5);
}

/** Drawn once for each node, so that the image is the same however it is walked. */
function randomFate(
  { directories, files }: { directories: readonly DirectoryNode[]; files: readonly FileNode[] },
  choose: typeof prefix,
  random: () => number,
): Fate {
  const survivors = new Map(directories.map((one) => [one, choose(one.unflushed, random)]));
  const variants = [everything.content, ...tears.map(([, tear]) => tear)];
  const contents = new Map(
    files.map((file) => [file, variants[Math.floor(random() * variants.length)]?.(file) ?? file.now]),
  );
  return {
    survivors: (directory) => survivors.get(directory) ?? [],
    content: (file) => contents.get(file) ?? file.now,
  };
}
