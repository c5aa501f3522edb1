import { useCallback, useEffect, useReducer, useRef } from "react";
import type { LabelValue } from "../../src/store/row.ts";
import type { ReviewInput, ReviewQueue, ReviewRow, RowSummary, RunPage, UndoInput } from "../../src/ui/api.ts";
import { getJson, postJson, runAddress } from "./client.ts";
import { useChanges } from "./use-changes.ts";

/** More rows are asked for when so few are left. */
const fewRows = 10;
const batch = 50;

/** What a person may say of a row. */
type Verdict = { action: "accept" | "skip" } | { action: "correct"; label: LabelValue };

/** A review as the page shows it before the server has it. */
interface Said {
  row: ReviewRow;
  verdict: Verdict;
}

interface State {
  rows: readonly ReviewRow[];
  /** Place of the row that is looked at. */
  at: number;
  said: readonly Said[];
  task: ReviewQueue["task"];
  choices: ReviewQueue["choices"];
  fields: ReviewQueue["fields"];
  isConfidenceAsked: boolean;
  /** What a person wrote of a row that came back. */
  draft: { position: number; label: LabelValue } | undefined;
  /** Labels that are ticked for the row, where it may have several. */
  ticked: readonly string[];
  waiting: number;
  reviewed: number;
  /** Verdicts that the server has not counted yet; those that are taken back count less than nothing. */
  underway: number;
  isLoaded: boolean;
  /** Why the queue could not be loaded. */
  error: Error | undefined;
  /** Why the server did not take the last thing that was said. */
  refusal: Error | undefined;
}

type Step =
  | { kind: "loaded"; queue: ReviewQueue }
  | { kind: "say"; said: Said }
  | { kind: "counted"; verdicts: 1 | -1 }
  | { kind: "back"; position: number; error?: Error }
  | { kind: "move"; by: number }
  | { kind: "tick"; label: string }
  | { kind: "refused"; error: Error }
  | { kind: "failed"; error: Error };

/** The queue of doubtful rows, and the steps of a person through it. */
export interface Review extends State {
  row: ReviewRow | undefined;
  say: (verdict: Verdict) => void;
  /** Says a label, or ticks it where a row may have several. */
  choose: (label: string) => void;
  undo: () => void;
  move: (by: number) => void;
  reload: () => void;
}

/**
 * Each verdict shows at once and is sent in its turn; what the server refuses comes back into the queue.
 *
 * @param address of the queue, with its query.
 */
export function useReview(page: RunPage, { query, author }: { query: string; author: string }): Review {
  const run = page.status.id;
  const [state, step] = useReducer(next, start);
  // Verdicts reach the server in the order in which they were given, so that undo takes back the right one.
  const line = useRef<Promise<unknown>>(Promise.resolve());
  const refused = useRef(new Set<number>());
  const isLoading = useRef(false);
  const address = runAddress(run, `/review?count=${batch}${query === "" ? "" : `&${query}`}`);

  const load = useCallback(() => {
    if (isLoading.current) return;
    isLoading.current = true;
    // What is on its way to the server would come again.
    line.current = line.current
      .then(() => getJson<ReviewQueue>(address))
      .then((queue) => step({ kind: "loaded", queue }))
      .catch((error: Error) => step({ kind: "failed", error }))
      .finally(() => {
        isLoading.current = false;
      });
  }, [address]);

  useEffect(load, [load]);
  // More rows wait when a run goes on, or somebody else takes a review back.
  useChanges(page, () => state.rows.length <= fewRows && load());

  const row = state.rows[state.at];
  const say = (verdict: Verdict) => {
    if (!row) return;
    step({ kind: "say", said: { row, verdict } });
    refused.current.delete(row.position);
    const input: ReviewInput = { position: row.position, author, ...verdict };
    line.current = line.current
      .then(() => postJson<RowSummary>(runAddress(run, "/reviews"), input))
      .catch((error: Error) => {
        refused.current.add(row.position);
        step({ kind: "back", position: row.position, error });
      })
      .finally(() => step({ kind: "counted", verdicts: 1 }));
    if (state.rows.length <= fewRows && state.waiting > state.rows.length) load();
  };
  const undo = () => {
    const last = state.said.at(-1);
    if (!last) return;
    step({ kind: "back", position: last.row.position });
    const takeBack = async () => {
      // The server does not have it: its last one is an older one.
      if (refused.current.delete(last.row.position)) return;
      await postJson<RowSummary>(runAddress(run, "/reviews/undo"), {
        author,
        position: last.row.position,
      } satisfies UndoInput);
    };
    line.current = line.current
      .then(takeBack)
      .catch((error: Error) => step({ kind: "refused", error }))
      .finally(() => step({ kind: "counted", verdicts: -1 }));
  };
  const choose = (label: string) => {
    if (state.task === "multilabel") step({ kind: "tick", label });
    else say({ action: "correct", label });
  };
  return { ...state, row, say, choose, undo, move: (by) => step({ kind: "move", by }), reload: load };
}

const start: State = {
  rows: [],
  at: 0,
  said: [],
  task: "classification",
  choices: null,
  fields: null,
  isConfidenceAsked: true,
  draft: undefined,
  ticked: [],
  waiting: 0,
  reviewed: 0,
  underway: 0,
  isLoaded: false,
  error: undefined,
  refusal: undefined,
};

function next(state: State, step: Step): State {
  const after = reached(state, step);
  const row = after.rows[after.at];
  // Another row begins with the labels that it has.
  return row === state.rows[state.at]
    ? after
    : { ...after, ticked: Array.isArray(row?.label) ? row.label.map(String) : [] };
}

function reached(state: State, step: Step): State {
  switch (step.kind) {
    case "loaded":
      return loaded(state, step.queue);
    case "say": {
      const rows = state.rows.filter(({ position }) => position !== step.said.row.position);
      return {
        ...state,
        rows,
        at: Math.min(state.at, Math.max(0, rows.length - 1)),
        said: [...state.said, step.said],
        waiting: state.waiting - 1,
        reviewed: state.reviewed + 1,
        underway: state.underway + 1,
        refusal: undefined,
      };
    }
    case "counted":
      return { ...state, underway: state.underway - step.verdicts };
    case "back":
      return takenBack(state, step.position, step.error);
    case "move":
      return { ...state, at: Math.max(0, Math.min(state.rows.length - 1, state.at + step.by)) };
    case "tick": {
      const isTicked = state.ticked.includes(step.label);
      const ticked = isTicked ? state.ticked.filter((label) => label !== step.label) : [...state.ticked, step.label];
      return { ...state, ticked };
    }
    case "refused":
      return { ...state, refusal: step.error };
    case "failed":
      return { ...state, error: step.error, isLoaded: true };
  }
}

/** Rows that are shown keep their place; new ones come behind. */
function loaded(state: State, { rows, waiting, reviewed, ...form }: ReviewQueue): State {
  const known = new Set([...state.rows, ...state.said.map(({ row }) => row)].map(({ position }) => position));
  const more = rows.filter(({ position }) => !known.has(position));
  return {
    ...state,
    rows: [...state.rows, ...more],
    ...form,
    waiting: waiting - state.underway,
    reviewed: reviewed + state.underway,
    isLoaded: true,
    error: undefined,
  };
}

/** A row comes back to where the person looks. */
function takenBack(state: State, position: number, error: Error | undefined): State {
  const said = state.said.findLast(({ row }) => row.position === position);
  if (!said) return { ...state, refusal: error };
  return {
    ...state,
    rows: [...state.rows.slice(0, state.at), said.row, ...state.rows.slice(state.at)],
    said: state.said.filter((other) => other !== said),
    draft: said.verdict.action === "correct" ? { position, label: said.verdict.label } : undefined,
    waiting: state.waiting + 1,
    reviewed: state.reviewed - 1,
    underway: state.underway - (error ? 0 : 1),
    refusal: error,
  };
}
