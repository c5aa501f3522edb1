import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where Chromium is installed. @throws Error when it is not. */
export function findChromium(): string {
  const folders = (process.env.PATH ?? "").split(delimiter);
  const places = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error("Chromium is not on PATH: install it (apt-get install chromium)");
  return found;
}

/** Whether tests that need a browser run. Where services are required (`AUTOLABEL_REQUIRE_SERVICES`, `CI`) a lack is a failure. */
export function isChromiumThere(): boolean {
  try {
    findChromium();
    return true;
  } catch (error) {
    if (process.env.AUTOLABEL_REQUIRE_SERVICES || process.env.CI) throw error;
    console.warn(`Tests of the page are skipped: ${(error as Error).message}`);
    return false;
  }
}
