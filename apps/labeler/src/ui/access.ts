import { createHash, timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";
import type { ApiError } from "./api.ts";

/** Who may speak to the server. */
export interface AccessOptions {
  /** Where the server listens; known once it does. */
  port: () => number;
  /** What was made for this start and is told to nobody but who started it. */
  token: string;
}

const contentPolicy = [
  "default-src 'self'",
  "img-src 'self' data:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");

const answerHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": contentPolicy,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

const safeMethods = ["GET", "HEAD"];

/**
 * Lets in only who has the token, from the server's own page. A page of another site can make a browser send requests to
 * this machine, with the cookie of its server: by a form, by a name that it lets point here, or from another port.
 */
export function guardAccess({ port, token }: AccessOptions): MiddlewareHandler {
  return async (context, next) => {
    for (const [name, value] of Object.entries(answerHeaders)) context.header(name, value);
    context.header("cache-control", "no-store");
    const hosts = ["127.0.0.1", "localhost", "[::1]"].map((name) => `${name}:${port()}`);
    const foreign = whyForeign(context, hosts);
    if (foreign !== undefined) return context.json<ApiError>({ error: foreign }, 403);
    const cookie = `autolabel-${port()}`;
    const brought = context.req.query("token");
    if (brought !== undefined && context.req.method === "GET" && context.req.path === "/") {
      if (!isSame(brought, token)) return refuse(context);
      setCookie(context, cookie, token, { httpOnly: true, sameSite: "Strict", path: "/" });
      return context.redirect("/", 303);
    }
    const shown = bearerOf(context) ?? getCookie(context, cookie);
    if (shown === undefined || !isSame(shown, token)) return refuse(context);
    await next();
    return undefined;
  };
}

function whyForeign({ req }: Context, hosts: readonly string[]): string | undefined {
  const host = req.header("host") ?? "";
  if (!hosts.includes(host)) return "This server answers to its own address only, such as http://127.0.0.1";
  const origin = req.header("origin");
  if (origin !== undefined && !hosts.some((own) => origin === `http://${own}`))
    return "Requests of other pages are refused";
  const site = req.header("sec-fetch-site");
  if (site !== undefined && site !== "same-origin" && site !== "none") return "Requests of other pages are refused";
  if (safeMethods.includes(req.method)) return undefined;
  // Browsers name the origin of everything that changes something; who is no browser shows the token in a header.
  if (origin === undefined && req.header("authorization") === undefined)
    return "A request that changes something must name its origin";
  return undefined;
}

function refuse(context: Context): Response {
  return context.json({ error: "Open the address that autolabel ui printed: it carries the token of this start" }, 401);
}

function bearerOf({ req }: Context): string | undefined {
  return /^Bearer (.+)$/i.exec(req.header("authorization") ?? "")?.[1];
}

/** In a time that tells nothing of where two differ. */
function isSame(shown: string, token: string): boolean {
  const [a, b] = [shown, token].map((text) => createHash("sha256").update(text).digest());
  return timingSafeEqual(a as Buffer, b as Buffer);
}
