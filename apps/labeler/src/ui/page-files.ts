import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join, sep } from "node:path";
import { UsageError } from "../usage-error.ts";

/** A file of the page. */
export interface PageFile {
  type: string;
  body: Uint8Array<ArrayBuffer>;
  /** Whether its name changes with its content. */
  isHashed: boolean;
}

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".woff2": "font/woff2",
};

/** Where the page was built to: beside the built program, or in the folder that it is built to. */
export function findPage(): string {
  const here = import.meta.dirname;
  const places = [join(here, "page"), join(here, "../../dist/page")];
  return places.find((place) => existsSync(join(place, "index.html"))) ?? (places[1] as string);
}

/**
 * The files of the page by their address. They are read once: no request ever names a file of the disk.
 *
 * @throws UsageError when the page was not built.
 */
export function readPage(folder: string): ReadonlyMap<string, PageFile> {
  if (!existsSync(join(folder, "index.html")))
    throw new UsageError(
      `The page is not built, there is no ${join(folder, "index.html")}: run npx pnpm build:page first`,
    );
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      const address = path.slice(folder.length).split(sep).join("/");
      const type = types[extname(name)] ?? "application/octet-stream";
      return [address, { type, body: new Uint8Array(readFileSync(path)), isHashed: address.startsWith("/assets/") }];
    }),
  );
}
