import { describe, expect, it } from "vitest";
import { linkTo, readRoute } from "./route.ts";

describe("addresses", () => {
  it.each([
    ["", { run: null, page: "run" }],
    ["#/", { run: null, page: "run" }],
    ["#/runs/reviews-1", { run: "reviews-1", page: "run" }],
    ["#/runs/reviews-1/data?row=3", { run: "reviews-1", page: "data" }],
    ["#/runs/reviews-1/nonsense", { run: "reviews-1", page: "run" }],
    ["#/runs/a%2Fb%20c/review", { run: "a/b c", page: "review" }],
    ["#/runs/100%/result", { run: "100%", page: "result" }],
  ])("%s", (hash, route) => expect(readRoute(hash)).toMatchObject(route));

  it("lead back to what they were made of", () => {
    const route = readRoute(linkTo("a/b?c", "data", { search: "50% & more", status: "" }));
    expect([route.run, route.page, [...route.query]]).toEqual(["a/b?c", "data", [["search", "50% & more"]]]);
  });
});
