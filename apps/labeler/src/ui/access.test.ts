import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UiClient } from "../testing/ui-client.ts";
import { readPage } from "./page-files.ts";

let folder: string;
let ui: UiClient;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "ui-access-"));
  ui = await UiClient.start(folder);
});
afterAll(async () => {
  await ui.server.close();
  rmSync(folder, { recursive: true, force: true });
});

const host = () => `127.0.0.1:${ui.port}`;

/** Every kind of address that there is. */
const addresses: [method: string, path: string][] = [
  ["GET", "/"],
  ["GET", "/assets/app-1.js"],
  ["GET", "/runs/data-1"],
  ["GET", "/nothing.txt"],
  ["GET", "/api/runs"],
  ["GET", "/api/runs/data-1"],
  ["GET", "/api/runs/data-1/events"],
  ["GET", "/api/runs/data-1/rows"],
  ["GET", "/api/runs/data-1/rows/0"],
  ["GET", "/api/runs/data-1/review"],
  ["GET", "/api/runs/data-1/report"],
  ["GET", "/api/runs/data-1/export?to=csv"],
  ["POST", "/api/runs/data-1/reviews"],
  ["POST", "/api/runs/data-1/reviews/undo"],
  ["POST", "/api/runs/data-1/pause"],
  ["POST", "/api/runs/data-1/resume"],
  ["DELETE", "/api/runs"],
];

describe("who has no token", () => {
  it.each(addresses)("gets nothing: %s %s", async (method, path) => {
    const { status, json } = await ui.raw(path, { method, headers: { host: host(), origin: ui.origin } });
    expect(status).toBe(401);
    expect(json).toEqual({ error: expect.stringContaining("token") });
  });

  it("gets nothing for a wrong one, wherever it is shown", async () => {
    const wrong = [`${ui.token.slice(0, -1)}${ui.token.endsWith("A") ? "B" : "A"}`, `${ui.token}x`, "x", ""];
    for (const token of wrong) {
      const shown = [
        await ui.raw(`/?token=${token}`, { headers: { host: host() } }),
        await ui.raw("/api/runs", { headers: { host: host(), cookie: `autolabel-${ui.port}=${token}` } }),
        await ui.raw("/api/runs", { headers: { host: host(), authorization: `Bearer ${token}` } }),
      ];
      for (const { status, headers } of shown) {
        expect(status).toBe(401);
        expect(headers["set-cookie"]).toBeUndefined();
      }
    }
    // The address carries it to the first page only.
    expect((await ui.raw(`/api/runs?token=${ui.token}`, { headers: { host: host() } })).status).toBe(401);
    expect((await ui.raw("/api/runs", { headers: { host: host(), cookie: `autolabel-1=${ui.token}` } })).status).toBe(
      401,
    );
  });
});

describe("who has the token", () => {
  it("gets a cookie for it that no script and no other site can use, and an address without it", async () => {
    const { status, headers } = await ui.raw(`/?token=${ui.token}`, { headers: { host: host() } });
    expect([status, headers.location]).toEqual([303, "/"]);
    const [cookie = ""] = headers["set-cookie"] ?? [];
    expect(cookie.split("; ").sort()).toEqual(
      [`autolabel-${ui.port}=${ui.token}`, "HttpOnly", "Path=/", "SameSite=Strict"].sort(),
    );
    const page = await ui.raw("/", { headers: { host: host(), cookie: cookie.split(";")[0] as string } });
    expect([page.status, page.text]).toEqual([200, "<!doctype html><title>page</title>"]);
  });

  it("gets the page, at every address of a view, and the data", async () => {
    expect((await ui.ask("/runs/data-1")).text).toContain("<title>page");
    const script = await ui.ask("/assets/app-1.js");
    expect([script.headers["content-type"], script.headers["cache-control"]]).toEqual([
      "text/javascript; charset=utf-8",
      expect.stringContaining("immutable"),
    ]);
    expect((await ui.ask("/assets/app-2.js")).status).toBe(404);
    expect((await ui.ask("/api/runs")).json).toEqual({ author: "tester", runs: [], pools: [] });
    expect((await ui.ask("/api/runs/data-1")).json).toEqual({ error: 'There is no run "data-1"' });
    expect((await ui.ask("/api/else")).status).toBe(404);
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
      expect((await ui.ask("/", { method, headers: { origin: ui.origin } })).status).toBe(405);
    expect((await ui.raw("/api/runs", { headers: { host: `localhost:${ui.port}`, cookie: ui.cookie } })).status).toBe(
      200,
    );
  });

  it("is told in every answer that it may run, frame and keep nothing else", async () => {
    for (const path of ["/", "/assets/app-1.js", "/api/runs", "/api/runs/none", "/x.y"]) {
      const { headers } = await ui.ask(path);
      const policy = String(headers["content-security-policy"]);
      expect(policy).toContain("default-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toContain("unsafe");
      expect(headers).toMatchObject({
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
      });
      if (!path.startsWith("/assets")) expect(headers["cache-control"]).toBe("no-store");
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
  });
});

describe("a page of another site, with the cookie that the browser adds", () => {
  it("gets nothing by a name of its own that points here", async () => {
    const foreign = [
      `evil.example:${ui.port}`,
      `127.0.0.1.evil.example:${ui.port}`,
      "127.0.0.1",
      `localhost:${ui.port + 1}`,
      `0.0.0.0:${ui.port}`,
      `127.0.0.1:${ui.port}@evil.example`,
    ];
    for (const name of foreign) {
      for (const path of ["/", "/api/runs", `/?token=${ui.token}`])
        expect([400, 403]).toContain((await ui.ask(path, { headers: { host: name } })).status);
    }
  });

  it("gets nothing from another origin, for reading or writing", async () => {
    const origins = ["http://evil.example", `http://127.0.0.1:${ui.port + 1}`, `https://127.0.0.1:${ui.port}`, "null"];
    for (const origin of origins) {
      expect((await ui.ask("/api/runs", { headers: { origin } })).status).toBe(403);
      expect((await ui.ask("/api/runs/x/pause", { body: {}, headers: { origin } })).status).toBe(403);
    }
    for (const site of ["cross-site", "same-site"]) {
      expect((await ui.ask("/api/runs", { headers: { "sec-fetch-site": site } })).status).toBe(403);
      expect((await ui.ask("/api/runs/x/pause", { body: {}, headers: { "sec-fetch-site": site } })).status).toBe(403);
    }
  });

  it("writes nothing without an origin, nor as a form", async () => {
    const headers = { host: host(), cookie: ui.cookie };
    const json = { ...headers, "content-type": "application/json" };
    expect((await ui.raw("/api/runs/x/pause", { method: "POST", headers: json, body: {} })).status).toBe(403);
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      const form = { ...headers, origin: ui.origin, "content-type": type };
      expect((await ui.raw("/api/runs/x/pause", { method: "POST", headers: form, body: {} })).status).toBe(415);
    }
    // The page itself gets as far as the run that is not there; so does a program that shows the token.
    expect((await ui.ask("/api/runs/x/pause", { body: {} })).status).toBe(404);
    const bearer = { host: host(), authorization: `Bearer ${ui.token}`, "content-type": "application/json" };
    expect((await ui.raw("/api/runs/x/pause", { method: "POST", headers: bearer, body: {} })).status).toBe(404);
  });

  it("sends no large body", async () => {
    const { status } = await ui.ask("/api/runs/x/reviews", { body: { author: "x".repeat(2 ** 20) } });
    expect(status).toBe(413);
  });
});

describe("an address that leaves the page's folder", () => {
  it.each([
    "/../../package.json",
    "/..%2f..%2fpackage.json",
    "/%2e%2e/%2e%2e/package.json",
    "/assets/..%2f..%2f..%2fetc/passwd",
    "/assets/....//app-1.js",
    "/..\\..\\package.json",
    "//etc/passwd.txt",
    "/index.html%00.png",
    "/assets",
    "/api/runs/..%2f..%2fpage%2findex.html",
    "/api/runs/%2e%2e%2fdata-1/rows",
  ])("finds no file: %s", async (path) => {
    const { status, text } = await ui.ask(path);
    // What has no ending is a view of the page, whatever it is called.
    if (status === 200) expect(text).toBe("<!doctype html><title>page</title>");
    else if (status === 400) expect(text).toBe("");
    else expect([status, text]).toEqual([404, expect.stringMatching(/^\{"error":"There is no/)]);
  });
});

it("names the command that builds a page that is not there", () => {
  expect(() => readPage(join(folder, "nowhere"))).toThrow(/pnpm build/);
});
