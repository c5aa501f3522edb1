/** What a command may touch of its process, so that it can be run and watched from a test. */
export interface CommandIo {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  env: Readonly<Record<string, string | undefined>> | undefined;
  /** Calls back on the first Ctrl-C; a second one ends the process. @returns a function that stops listening. */
  onInterrupt: (callback: () => void) => () => void;
}

/** The process itself. */
export const processIo: CommandIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: undefined,
  onInterrupt: (callback) => {
    let asked = false;
    const listener = () => {
      // Every paid answer is on disk already, so ending here loses none.
      if (asked) process.exit(130);
      asked = true;
      callback();
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, listener);
    return () => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, listener);
    };
  },
};
