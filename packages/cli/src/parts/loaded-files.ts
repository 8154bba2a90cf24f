const files: string[] = [];
let loading: string | null = null;

/** The files that this process has loaded kinds from: a fault may be theirs. */
export const loadedFiles = (): readonly string[] => files;

/** The file that is being loaded; null where none is. */
export const loadingFile = (): string | null => loading;

/** Loads a file, and remembers it: from its start, since it may never settle. */
export async function whileLoading<Loaded>(file: string, load: () => Promise<Loaded>): Promise<Loaded> {
  if (!files.includes(file)) files.push(file);
  loading = file;
  try {
    return await load();
  } finally {
    loading = null;
  }
}
