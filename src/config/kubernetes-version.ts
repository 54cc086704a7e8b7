/** 1.MINOR.PATCH */
export interface KubernetesVersion {
  readonly minor: number;
  /** undefined: it is not said, as in `1.32` and `stable-1.32`. */
  readonly patch: number | undefined;
  /** Such as 1.36.1-rc.0, which comes before 1.36.1. */
  readonly isPreRelease: boolean;
}

/** @returns undefined: it names no version, as the label `stable-1` */
export function parseKubernetesVersion(text: string): KubernetesVersion | undefined {
  const [, minor, patch, preRelease] =
    /^(?:v|(?:stable|latest)-)?1\.(\d{1,3})(?!\d)(?:\.(\d{1,3})(?!\d)(-)?)?/.exec(text) ?? [];
  return minor === undefined
    ? undefined
    : {
        minor: Number(minor),
        patch: patch === undefined ? undefined : Number(patch),
        isPreRelease: preRelease !== undefined,
      };
}
