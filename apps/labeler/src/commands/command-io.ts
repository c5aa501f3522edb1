import { writeSync } from "node:fs";

/** What a command may touch of its process, so that it can be run and watched from a test. */
export interface CommandIo {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  /** How the user called us, for the commands that we suggest. */
  command: string;
  /** Listens to Ctrl-C. @returns a function that stops listening. */
  onInterrupt: (reaction: InterruptReaction) => () => void;
}

/** What Ctrl-C does. */
export interface InterruptReaction {
  /** The first one asks to stop. */
  first: () => void;
  /** Last words of the second one, which ends the process. */
  second: string;
}

/** The process itself. */
export const processIo: CommandIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  command: process.env.npm_lifecycle_event === "cli:autolabel" ? "npm run -s autolabel --" : "autolabel",
  onInterrupt: ({ first, second }) => {
    let asked = false;
    const listener = () => {
      if (asked) {
        // Every paid answer is on disk already, so ending here loses none.
        writeSync(2, second);
        process.exit(130);
      }
      asked = true;
      first();
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, listener);
    return () => {
      for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, listener);
    };
  },
};
