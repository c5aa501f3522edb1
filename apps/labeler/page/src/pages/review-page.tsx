import { useEffect, useRef, useState } from "react";
import { formatCount } from "../../../src/progress/bar.ts";
import type { RunPage, RunsPage } from "../../../src/ui/api.ts";
import type { RunPageProps } from "../app.tsx";
import { labelText } from "../format.ts";
import { Choices, type FilterElement } from "../parts/choices.tsx";
import { Empty, Failure, Loading } from "../parts/notice.tsx";
import { ReviewCard } from "../parts/review-card.tsx";
import { ReviewHelp } from "../parts/review-help.tsx";
import { linkTo } from "../route.ts";
import { useColumns } from "../use-columns.ts";
import { useResource } from "../use-resource.ts";
import { type Review, useReview } from "../use-review.ts";

const limits: readonly string[] = ["0.5", "0.6", "0.7", "0.8", "0.9", "0.95", "1"];

/** Where this browser keeps who reviews. */
const authorKey = "autolabel-author";

/** The doubtful rows, one after the other, by the keyboard. */
export function ReviewPage({ run, query }: RunPageProps) {
  const id = run.status.id;
  const [author, setAuthor] = useState(() => localStorage.getItem(authorKey) ?? "");
  const all = useResource<RunsPage>("/api/runs");
  const gold = query.get("gold") ?? "";
  const below = query.get("below") ?? "0.8";
  const columns = useColumns(id);
  // Nothing is said before it is known by whom.
  const reviewer = author.trim() || all.data?.author;
  const queue = new URLSearchParams({ below, ...(gold && { gold }) }).toString();
  const change = (changes: Readonly<Record<string, string>>) => {
    location.replace(linkTo(id, "review", { ...Object.fromEntries(query), ...changes }));
  };
  return (
    <>
      <form className="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          <span>Reviewing as</span>
          <input
            value={author}
            placeholder={all.data?.author ?? ""}
            maxLength={100}
            onChange={({ target }) => {
              setAuthor(target.value);
              localStorage.setItem(authorKey, target.value);
            }}
          />
        </label>
        <label>
          <span>Confidence below</span>
          <select value={below} onChange={({ target }) => change({ below: target.value })}>
            {[...new Set([...limits, below])].map((value) => (
              <option key={value}>{value}</option>
            ))}
          </select>
        </label>
        <label>
          <span>True labels in</span>
          <select value={gold} onChange={({ target }) => change({ gold: target.value })}>
            <option value="">no column</option>
            {columns.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      </form>
      {reviewer !== undefined ? (
        <Desk key={`${below} ${gold}`} run={run} author={reviewer} query={queue} />
      ) : all.error ? (
        <Failure error={all.error} onRetry={all.reload} />
      ) : (
        <Loading what="the queue" />
      )}
    </>
  );
}

/** The queue that one query finds. */
function Desk({ run, author, query }: { run: RunPage; author: string; query: string }) {
  const review = useReview(run, { query, author });
  const [isHelping, setHelping] = useState(false);
  const filter = useRef<FilterElement>(null);
  useReviewKeys(review, { onHelp: () => setHelping(true), onFilter: () => filter.current?.focus() });
  const { row, error } = review;
  const trouble = review.refusal ?? error;
  const last = review.said.at(-1);
  if (!review.isLoaded) return <Loading what="the queue" />;
  if (error && !row) return <Failure error={error} onRetry={review.reload} />;
  return (
    <>
      <Progress review={review} />
      {isHelping && <ReviewHelp onClose={() => setHelping(false)} />}
      {trouble && (
        <p className="banner said-no" role="alert">
          {trouble.message}
        </p>
      )}
      <p className="last-said" role="status">
        {last ? (
          <>
            Row {formatCount(last.row.position + 1)}:{" "}
            {last.verdict.action === "skip" ? "skipped" : <b>{labelText(labelOf(last))}</b>}{" "}
            <button type="button" className="link" onClick={review.undo}>
              undo <kbd>u</kbd>
            </button>
          </>
        ) : (
          <>
            Everything works by the keyboard:
            <button type="button" className="link" onClick={() => setHelping(true)}>
              keys <kbd>?</kbd>
            </button>
          </>
        )}
      </p>
      {row ? (
        <div className="desk">
          <ReviewCard key={row.position} row={row} />
          <Choices key={`choices ${row.position}`} row={row} review={review} filter={filter} />
          <Queue review={review} />
        </div>
      ) : (
        <Empty title="Nothing waits for you">
          <p>No row is invalid, less sure than asked for, or unlike its true label.</p>
          {run.status.isWorking && <p>The run goes on: rows of which that is true come here by themselves.</p>}
          {!review.isConfidenceAsked && (
            <p>
              The model was not asked how sure it is: with <code>--confidence</code> the doubtful rows would come here.
            </p>
          )}
        </Empty>
      )}
    </>
  );
}

function labelOf({ row, verdict }: Review["said"][number]) {
  return verdict.action === "correct" ? verdict.label : row.label;
}

function Progress({ review }: { review: Review }) {
  const { reviewed, waiting } = review;
  const whole = reviewed + waiting;
  return (
    <>
      <div className="head">
        <h1>
          {formatCount(reviewed)}
          <small>
            of {formatCount(whole)} reviewed, {formatCount(waiting)} waiting
          </small>
        </h1>
      </div>
      <progress value={reviewed} max={Math.max(1, whole)} aria-label="Reviewed rows" />
    </>
  );
}

/** Keys work on the whole page, but not where a person types, nor behind a dialog. */
function useReviewKeys(review: Review, { onHelp, onFilter }: { onHelp: () => void; onFilter: () => void }) {
  const current = useRef({ review, onHelp, onFilter });
  current.current = { review, onHelp, onFilter };
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { review: now, ...on } = current.current;
      if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector("dialog[open]")) return;
      // Arrows scroll the box that they are in.
      if (event.key.startsWith("Arrow") && event.target instanceof HTMLElement && event.target.matches(".scroll"))
        return;
      // Enter presses the button that it is at.
      if (event.key === "Enter" && event.target instanceof HTMLElement && event.target.matches("button, a")) return;
      // A key that is held down walks; it says nothing of rows that nobody saw.
      if (event.repeat && !walking.includes(event.key)) return;
      const choice = now.choices?.[choiceOf(event.key)];
      const act = choice && now.task !== "entities" ? () => now.choose(choice.name) : keysOf(now, on).get(event.key);
      if (!act) return;
      event.preventDefault();
      act();
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

const walking = ["j", "k", "ArrowDown", "ArrowUp"];

/** `1` is the first choice, `0` the tenth. */
function choiceOf(key: string): number {
  return /^\d$/.test(key) ? (Number(key) + 9) % 10 : -1;
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches("input, textarea, select");
}

function keysOf(review: Review, { onHelp, onFilter }: { onHelp: () => void; onFilter: () => void }) {
  const keys = new Map<string, () => void>([
    ["j", () => review.move(1)],
    ["ArrowDown", () => review.move(1)],
    ["k", () => review.move(-1)],
    ["ArrowUp", () => review.move(-1)],
    ["s", () => review.say({ action: "skip" })],
    ["u", review.undo],
    ["?", onHelp],
    ["/", onFilter],
  ]);
  if (review.row && review.row.label !== null) keys.set("a", () => review.say({ action: "accept" }));
  if (review.task === "multilabel")
    keys.set("Enter", () => review.say({ action: "correct", label: [...review.ticked] }));
  return keys;
}

const shownAhead = 5;

/** The rows that come next. */
function Queue({ review: { rows, at, move } }: { review: Review }) {
  const ahead = rows.slice(at + 1, at + 1 + shownAhead);
  if (ahead.length === 0) return null;
  return (
    <ol className="queue" aria-label="Next rows">
      {ahead.map((row, place) => (
        <li key={row.position}>
          <button type="button" className="next" onClick={() => move(place + 1)}>
            <span className="cut" dir="auto">
              {row.text}
            </span>
            <span className="cut" dir="auto">
              {labelText(row.label)}
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}
