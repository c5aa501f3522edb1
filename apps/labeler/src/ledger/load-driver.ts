import { UsageError } from "../usage-error.ts";

/**
 * Loads a package that only some installations have.
 *
 * @param what needs it, in the words of a person.
 * @throws UsageError that says how to install it.
 */
export async function loadDriver<T>(name: string, what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as { code?: string }).code !== "ERR_MODULE_NOT_FOUND") throw cause;
    throw new UsageError(`${what} needs the package ${name}: npm i ${name}, beside @autolabel/labeler`, { cause });
  }
}
