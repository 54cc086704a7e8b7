export declare function commitOf(root: string): string | undefined;
export declare function commitTime(root: string): number | undefined;
