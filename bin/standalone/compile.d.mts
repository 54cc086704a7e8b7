export declare function compile(entry: string, name: string, outfile: string): readonly string[];
export declare const version: string;
